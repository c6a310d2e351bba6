import { coordinateOf } from "#shared/recipe.ts";
import type { Candidate, DetectPass, DetectReport } from "#shared/detection.ts";
import { judgedSentences, maximumSentence, restOfFinding } from "#shared/figures/detectionWords.ts";
import { activation, count, duration, list, plural } from "../../format.ts";

export type Tap = "input" | "output" | "residual";

/** Largest |value| of one tap per layer in one pass; layers before its first carry over from the pass before. */
export function passValues(
  passes: readonly DetectPass[],
  index: number,
  tap: Tap,
  layers: number,
): (number | null)[] {
  const values = new Array<number | null>(layers).fill(null);
  for (const pass of passes.slice(0, index + 1)) {
    for (const peaks of pass.layers) values[peaks.layer] = Math.abs(peaks[tap].value);
  }
  return values;
}

export interface Mark {
  layer: number;
  value: number;
  channel: number;
}

/** Where weights show in a tap, as their pass saw them; those that share a layer and a channel share a mark. */
export function marksOf(superWeights: readonly Candidate[], tap: "input" | "output"): Mark[] {
  const marks = superWeights.map((one) => ({
    layer: one.layer,
    value: Math.abs(tap === "input" ? one.inputActivation : one.outputActivation),
    channel: tap === "input" ? one.column : one.row,
  }));
  return marks.filter(
    (mark, i) =>
      marks.findIndex((other) => other.layer === mark.layer && other.channel === mark.channel) === i,
  );
}

/** The end of the chart at which the lines keep further away from the threshold, for its label. */
export function clearSide(
  lines: readonly (readonly (number | null)[])[],
  threshold: number,
): "left" | "right" {
  const distance = (values: readonly (number | null)[]): number =>
    Math.min(
      ...values.map((value) =>
        value === null || value <= 0 ? Infinity : Math.abs(Math.log(value / threshold)),
      ),
    );
  const quarter = Math.max(2, Math.ceil((lines[0]?.length ?? 0) / 4));
  const left = Math.min(...lines.map((line) => distance(line.slice(0, quarter))));
  const right = Math.min(...lines.map((line) => distance(line.slice(-quarter))));
  return right >= left ? "right" : "left";
}

/** Whether the residual stream stays far higher with the super weights, in most layers from the first of them on. */
export function isCarried(
  withIt: readonly (number | null)[],
  without: readonly (number | null)[],
  from: number,
): boolean {
  const later = withIt.slice(from).map((value, i) => (value ?? 0) > 2 * (without[from + i] ?? Infinity));
  return later.length > 0 && later.filter(Boolean).length * 2 > later.length;
}

/** From what the answer comes: passes and time, the text and the null, and without a super weight the largest activation. */
export function method(report: DetectReport): string {
  const { superWeights: found, passes, tokens, seconds } = report;
  const published = found.filter((one) => one.published !== null).length;
  const parts = [
    restOfFinding(report.finding.text),
    judgedSentences(report),
    ...(found.length === 0 ? [maximumSentence(report)] : []),
    ...(published > 0
      ? [
          published === found.length
            ? "Every coordinate is a published one."
            : `${count(published)} of ${count(found.length)} coordinates are published.`,
        ]
      : []),
    `${plural(passes.length, "pass", "passes")} of ${plural(tokens.length, "token")}, ${duration(seconds)}.`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** The sum behind an output: what the one weight adds, what all others add, and both as shares of the output. */
export function sumOf(candidate: Candidate): {
  others: number;
  share: number;
  rest: number;
  widths: [number, number];
} {
  const others = candidate.outputActivation - candidate.contribution;
  const share = candidate.share;
  const rest = 1 - share;
  // Where the others pull the other way, the one weight alone fills the bar.
  const first = Math.max(0, Math.min(1, share));
  return { others, share, rest, widths: [first, Math.max(0, 1 - first)] };
}

/** Coordinates as other tools and recipes take them. */
export function coordinatesJson(report: DetectReport): string {
  return JSON.stringify(report.superWeights.map(coordinateOf));
}

/** The chart in words. */
export function chartWords(tap: "input" | "output", marks: readonly Mark[]): string {
  const what = `Largest absolute down_proj ${tap} per layer`;
  if (marks.length === 0) return `${what}; no super weight`;
  return `${what}; ${list(marks.map((mark) => `${activation(mark.value)} in layer ${mark.layer}, channel ${mark.channel}`))}`;
}
