import type { TextInfo } from "#shared/estimate.ts";

/** The last part of a path. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}

/** What is judged on where nobody chose: whatever is named for evaluation, since calibration text is for calibrating. */
export function judgedText(texts: readonly TextInfo[]): TextInfo | null {
  return texts.find(({ name }) => /eval|test|valid/i.test(name)) ?? texts[0] ?? null;
}

/** What is calibrated on where nobody chose: never what is judged on. */
export function calibrationText(texts: readonly TextInfo[], judged: string | null): TextInfo | null {
  const others = texts.filter(({ path }) => path !== judged);
  return others.find(({ name }) => /calib|train/i.test(name)) ?? others[0] ?? null;
}

/** The texts with one more, or with what is known of one by now. */
export function withText(texts: readonly TextInfo[], text: TextInfo): readonly TextInfo[] {
  return texts.some(({ path }) => path === text.path)
    ? texts.map((one) => (one.path === text.path ? text : one))
    : [...texts, text];
}
