import type { Candidate, DetectPass, DetectReport, LayerPeaks } from "#shared/detection.ts";
import { activation, count, list, percent, place, plural } from "../../format.ts";

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

/** The peaks of a layer as the pass saw them. */
export function peaksAt(passes: readonly DetectPass[], pass: number, layer: number): LayerPeaks | null {
  return passes.find((one) => one.pass === pass)?.layers.find((one) => one.layer === layer) ?? null;
}

export interface Mark {
  layer: number;
  value: number;
  channel: number;
}

/** Where super weights show in a tap, as their pass saw them; weights that share a layer and a channel share a mark. */
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

/** How far to lift each label, in pixels, so that labels near each other do not touch. `ys` in pixels from the top. */
export function spreadLabels(ys: readonly number[], gap = 15): number[] {
  const order = ys.map((y, i) => ({ y, i })).sort((a, b) => b.y - a.y);
  const shifts = new Array<number>(ys.length).fill(0);
  let above = Infinity;
  for (const { y, i } of order) {
    const placed = Math.min(y, above - gap);
    shifts[i] = y - placed;
    above = placed;
  }
  return shifts;
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

/** The result in one sentence. */
export function finding(report: DetectReport): string {
  const found = report.superWeights;
  if (found.length === 0) return "No super weight found";
  const layers = [...new Set(found.map((one) => one.layer))].sort((a, b) => a - b);
  const many = found.length > 1;
  return `${plural(found.length, "super weight")} ${many ? "cause" : "causes"} the ${layers.length > 1 ? "spikes in layers" : "spike in layer"} ${list(layers)}`;
}

/** How it was measured, and what the weights have in common. */
export function method(report: DetectReport, seconds: string): string {
  const passes = `${plural(report.passes.length, "forward pass", "forward passes")} of ${plural(report.tokens.length, "token")} in ${seconds}.`;
  const found = report.superWeights;
  if (found.length === 0) {
    return `${passes} The largest output, ${activation(largestOutput(report))}, against a threshold of ${activation(report.thresholdOutput)}; every layer was judged.`;
  }
  const parts = [passes];
  const rows = new Set(found.map((one) => one.row));
  if (found.length > 1 && rows.size === 1)
    parts.push(`${found.length === 2 ? "Both" : "All"} lie in row ${found[0]?.row}.`);
  const published = found.filter((one) => one.published !== null).length;
  if (published > 0)
    parts.push(
      published === found.length
        ? "Every coordinate is a published one."
        : `${count(published)} of ${count(found.length)} coordinates are published.`,
    );
  return parts.join(" ");
}

function largestOutput(report: DetectReport): number {
  return Math.max(0, ...report.layers.map((layer) => Math.abs(layer.output.value)));
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

/** The verdict in two words, for the table; the sentence with the numbers is `reason`. */
export const VERDICTS: Record<Candidate["verdict"], string> = {
  "super-weight": "Super weight",
  "different-token": "Different tokens",
  "below-threshold": "Below threshold",
  "small-share": "Small share",
  cancelling: "Cancelling layer",
  "no-suppression": "Spike stays",
  "pass-limit": "Pass limit reached",
};

/** Coordinates as other tools and recipes take them. */
export function coordinatesJson(report: DetectReport): string {
  return JSON.stringify(report.superWeights.map((one) => [one.layer, one.row, one.column]));
}

/** The chart in words. */
export function chartWords(tap: "input" | "output", marks: readonly Mark[]): string {
  const what = `Largest absolute down_proj ${tap} per layer`;
  if (marks.length === 0) return `${what}; no super weight`;
  return `${what}; ${list(marks.map((mark) => `${activation(mark.value)} in layer ${mark.layer}, channel ${mark.channel}`))}`;
}

/** `[137, 401]: 100.3% from one weight`. */
export function shareWords(candidate: Candidate): string {
  return `${place(candidate.row, candidate.column)}: ${percent(candidate.share)} from one weight`;
}
