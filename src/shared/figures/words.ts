/** Text from files in Plotly's tick labels and annotations, which read a few tags and entities: nothing of it is markup. */
export function plotText(text: string): string {
  return visible(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A token's text with its spaces and line breaks visible, as one line. */
export function visible(text: string): string {
  return (
    text
      .replaceAll("\n", "↵")
      .replaceAll("\t", "⇥")
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "�")
  );
}

/** A token between marks where its own spaces would not be seen: `·the`. */
export function tokenText(text: string): string {
  return text === "" ? "(empty)" : visible(text).replace(/^ +| +$/g, (spaces) => "·".repeat(spaces.length));
}

/** The longest line a label of a row may have before it is broken, in characters. */
const LABEL_LINE = 30;
/** Pixels of an average character at 11 px. */
const CHARACTER = 5.9;

/** A row's label in at most two lines, broken at the space nearest its middle; lines longer than fits are shortened. */
export function wrapLabel(text: string): string[] {
  if (text.length <= LABEL_LINE) return [text];
  const spaces = [...text.matchAll(/ /g)].map(({ index }) => index);
  const middle = text.length / 2;
  const at = spaces.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  const lines = at === undefined ? [text] : [text.slice(0, at), text.slice(at + 1)];
  return lines.map((line) => (line.length > LABEL_LINE + 6 ? `${line.slice(0, LABEL_LINE + 5)}…` : line));
}

/** About how many pixels the longest line takes. */
export function textWidth(lines: readonly string[]): number {
  return Math.ceil(Math.max(0, ...lines.map((line) => line.length)) * CHARACTER);
}
