import type { TextInfo } from "#shared/estimate.ts";
import { count, plural } from "#shared/format.ts";

/** The last part of a path. */
export function baseName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}

/**
 * What is judged on where nobody chose: whatever lies beside the model and is named for evaluation, else the text that ships with
 * the program: any other file may be for calibrating.
 */
export function judgedText(texts: readonly TextInfo[]): TextInfo | null {
  const named = texts.find(({ name, own }) => own !== true && /eval|test|valid/i.test(name));
  return named ?? texts.find(({ own }) => own === true) ?? texts[0] ?? null;
}

/** What is calibrated on where nobody chose: never what is judged on. */
export function calibrationText(texts: readonly TextInfo[], judged: string | null): TextInfo | null {
  const others = texts.filter(({ path }) => path !== judged);
  const beside = others.filter(({ own }) => own !== true);
  return beside.find(({ name }) => /calib|train/i.test(name)) ?? beside[0] ?? others[0] ?? null;
}

/**
 * How many tokens of a text are evaluated: `all 413 tokens`, `4,096 of 280,512 tokens`; where they are not counted yet
 * `at most 4,096 tokens`, `the whole text`.
 * @param asked at most so many; null = the whole text
 */
export function tokensWords(asked: number | null, text: Pick<TextInfo, "tokens"> | null): string {
  const there = text?.tokens ?? null;
  if (there === null) return asked === null ? "the whole text" : `at most ${plural(asked, "token")}`;
  return asked === null || asked >= there
    ? `all ${plural(there, "token")}`
    : `${count(asked)} of ${plural(there, "token")}`;
}

/** The texts with one more, or with what is known of one by now. */
export function withText(texts: readonly TextInfo[], text: TextInfo): readonly TextInfo[] {
  return texts.some(({ path }) => path === text.path)
    ? texts.map((one) => (one.path === text.path ? text : one))
    : [...texts, text];
}
