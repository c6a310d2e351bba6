import type {
  Candidate,
  Carrier,
  Change,
  ColumnGroup,
  DetectReport,
  JudgedOn,
  OtherWeight,
  PairEffect,
  PublishedResult,
  Verdict,
} from "../detection.ts";
import { divergenceText } from "./table.ts";
import { tokenText } from "./words.ts";
import { activation, count, factor, list, number, perplexity, place, plural } from "../format.ts";
import type { Coordinate } from "../recipe.ts";

/** What the window and the report say of a detection, in the same words. */

/** A verdict in a word or two, for tables; the sentence with the numbers is the candidate's `reason`. */
export const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  super: "Super weight",
  together: "Only together",
  "spike-without-effect": "Spike, no effect",
  cancelling: "Cancels",
  none: "No single weight",
  unmeasured: "Not measured",
};

/** The verdict in words; of a weight that is measured while others are not yet, that it waits for it. */
export function verdictWords({ verdict, effect }: Pick<Candidate, "verdict" | "effect">): string {
  return verdict === "unmeasured" && effect ? "Not yet measured" : VERDICT_WORDS[verdict];
}

/** What each verdict means, one sentence. */
export const VERDICT_MEANINGS: Readonly<Record<Verdict, string>> = {
  super: "Alone, its loss costs far more than that of any other weight that was tried.",
  together: "Little is lost without it alone, much without it and the others of its column or pair.",
  "spike-without-effect": "It makes a large output that nothing depends on.",
  cancelling: "It takes away what the residual stream carries.",
  none: "The output is large, and no single weight makes it.",
  unmeasured: "Its effect has not been measured.",
};

/** Whether the model can't live without it: alone, or together with others. */
export function isSuper({ verdict }: Pick<Candidate, "verdict">): boolean {
  return verdict === "super" || verdict === "together";
}

/** `layer 11 [507, 1229]`. */
export function coordinateWords([layer, row, column, expert]: Coordinate): string {
  return `layer ${layer} ${place(row, column, expert)}`;
}

/** The answer's first sentence, for a heading; what follows it is {@link restOfFinding}. */
export function headlineOf(finding: string): string {
  return sentences(finding)[0].replace(/\.$/, "");
}

/** What the answer says behind its first sentence. */
export function restOfFinding(finding: string): string {
  return sentences(finding)[1];
}

function sentences(finding: string): [string, string] {
  const end = /\.(?= [A-Z])/.exec(finding)?.index;
  return end === undefined
    ? [finding, ""]
    : [finding.slice(0, end + 1).trim(), finding.slice(end + 1).trim()];
}

/** On what the effects were measured, and from where on one counts. */
export function judgedSentences({ judged, options }: DetectReport): string {
  if (judged === null) return "Effects were not measured: what is listed rests on the activations alone.";
  const { text, tokens, information, thresholdKl } = judged;
  return [
    `Effects are KL in nats per token on ${text}, ${plural(tokens, "token")}, perplexity ${perplexity(judged.perplexity)}.`,
    `The largest effect of the other weights that were tried, the null, is ${divergenceText(judged.null.kl)}.`,
    `A super weight reaches ${divergenceText(thresholdKl)}: ${number(options.minEffect * 100, 1)}% of the ${number(information, 2)} nats that the model knows of the text, and ${number(options.nullFactor, 0)} × the null.`,
  ].join(" ");
}

/** Where the largest value of the residual stream lies. */
export function maximumSentence({ maximum }: DetectReport): string {
  const { value, layer, channel, text } = maximum;
  return `The largest activation is ${activation(value)}, in channel ${channel} behind layer ${layer}, on the token “${tokenText(text)}”.`;
}

/** `seen only with layer 11 [507, 1229] zeroed`; empty for what the unmodified model shows. */
export function laterWords({ after }: Pick<Candidate, "after">): string {
  if (after.length === 0) return "";
  return `seen only with ${after.length > 3 ? plural(after.length, "weight") : list(after.map(coordinateWords))} zeroed`;
}

/** What the weight's loss costs, with the null beside it: `KL 3.2600 (null 0.0003), perplexity 371.20 instead of 16.10`. */
export function effectWords({ effect }: Pick<Candidate, "effect">): string {
  if (!effect) return "Its effect was not measured.";
  return `Zeroed: ${klText(effect)} (null ${divergenceText(effect.null.kl)}), perplexity ${effect.perplexity === null ? "not finite" : perplexity(effect.perplexity)} instead of ${perplexity(effect.baseline)}.`;
}

/** `KL 0.0095`, `KL not finite`. */
export function klText({ kl }: Pick<Change, "kl">): string {
  return `KL ${kl === null ? "not finite" : divergenceText(kl)}`;
}

/** A change's KL for a cell: null is a value that left every scale; no change at all was not measured. */
export function klCell(change: Pick<Change, "kl"> | null | undefined): string {
  if (!change) return "–";
  return change.kl === null ? "not finite" : divergenceText(change.kl);
}

export const PAIR_WORDS: Readonly<Record<PairEffect["kind"], string>> = {
  masks: "One masks the other",
  compensate: "They stand in for each other",
  independent: "Independent",
};

/** What zeroing both says of a pair. */
export function pairSentence({ both, alone, kind }: PairEffect): string {
  const [one, other] = alone.map((kl) => (kl === null ? "not finite" : divergenceText(kl)));
  const words = {
    masks: "much less is lost with both zeroed than with one",
    compensate: "much more is lost with both zeroed than the sum of each alone",
    independent: "with both zeroed, about the sum of each alone is lost",
  };
  return `Alone KL ${one} and ${other}, both ${klText(both)}: ${words[kind]}.`;
}

/** One column's spokes in a sentence. */
export function columnSentence({ whole, spokesTogether, rest, spokes }: ColumnGroup): string {
  return [
    `The whole column zeroed: ${klText(whole)}`,
    ...(spokesTogether
      ? [
          `${spokes.length === 1 ? "its weight" : `its ${count(spokes.length)} weights together`}: ${klText(spokesTogether)}`,
        ]
      : []),
    ...(rest ? [`without the strongest weight: ${klText(rest)}`] : []),
  ].join("; ");
}

/** A published result as its source gives it, grain and measure included. */
export function publishedMeasure({ measure, value, grain }: PublishedResult): string {
  if (measure === null) return `place only (${grain})`;
  return value === null ? `${measure} (${grain})` : `${measure}: ${number(value, 2)} (${grain})`;
}

/** Where a published result lies: a weight, a row or a column of a layer; some sources don't say which. */
export function publishedPlace({ grain, layer, row, column }: PublishedResult): string {
  if (layer === null) return "not said";
  if (grain === "weight") return `layer ${layer} [${row ?? "–"}, ${column ?? "–"}]`;
  return `layer ${layer}, ${grain} ${(grain === "row" ? row : column) ?? "–"}`;
}

/** What was measured here at a published result's own grain: KL of the weight, its row or its column; null where nothing was. */
export function measuredThere(report: DetectReport, published: PublishedResult): Change | null {
  const all = [...report.superWeights, ...report.candidates];
  const { grain, layer, row, column } = published;
  if (layer === null) return null;
  if (grain === "weight")
    return all.find((one) => one.layer === layer && one.row === row && one.column === column)?.effect ?? null;
  if (grain === "row")
    return all.find((one) => one.layer === layer && one.row === row && one.effect?.row)?.effect?.row ?? null;
  return (
    report.columns.find((group) => group.layer === layer && group.column === column)?.whole ??
    all.find((one) => one.layer === layer && one.column === column && one.effect?.column)?.effect?.column ??
    null
  );
}

/** `with BOS: on “<s>”, input 128.0, output 242.6`. */
export function carrierWords({ bos, text, input, output }: Carrier): string {
  return `${bos ? "BOS-prefixed" : "Without BOS"}: on “${tokenText(text)}”, input ${activation(input)}, output ${activation(output)}`;
}

/** The norm's gain of the weight's channel beside the median, where the norm has weights. */
export function gainWords({ normGain }: Pick<Candidate, "normGain">): string | null {
  if (normGain === null) return null;
  const { value, median } = normGain;
  return `Norm gain of the channel ${number(value, 4)}, ${median === 0 ? "–" : factor(Math.abs(value / median))} the median ${number(median, 4)}`;
}

/** A weight that is large, by what it writes or by its own value, and not one that the model needs. */
export interface LargeWeight {
  readonly layer: number | null;
  readonly tensor: string;
  readonly row: number;
  readonly column: number;
  readonly value: number;
  /** KL with it zeroed: null = not finite, undefined = not measured. */
  readonly kl: number | null | undefined;
  /** Why it is on the list. */
  readonly what: string;
  readonly candidate: Candidate | null;
}

/** What is merely large: candidates that the model doesn't need, and the weights of largest magnitude that were tried. */
export function merelyLarge({
  candidates,
  others,
}: Pick<DetectReport, "candidates" | "others">): LargeWeight[] {
  return [
    ...candidates
      .filter((one) => !isSuper(one))
      .map((one) => ({
        layer: one.layer,
        tensor: one.tensor,
        row: one.row,
        column: one.column,
        value: one.value,
        kl: one.effect ? one.effect.kl : undefined,
        what: VERDICT_WORDS[one.verdict],
        candidate: one,
      })),
    ...others.filter(({ chosen }) => chosen === "largest").map(largestWeight),
  ];
}

function largestWeight(one: OtherWeight): LargeWeight {
  const layer = /\.(\d+)\./.exec(one.tensor)?.[1];
  return {
    layer: layer === undefined ? null : Number(layer),
    tensor: one.tensor,
    row: one.row,
    column: one.column,
    value: one.value,
    kl: one.kl,
    what: "Large value",
    candidate: null,
  };
}

/** Whether a weight may be clipped without a thought, or what it costs. */
export function clipWords(
  { kl }: Pick<LargeWeight, "kl">,
  judged: JudgedOn | null,
  nullFactor: number,
): string {
  if (kl === undefined || judged === null) return "not measured";
  return isHarmless(kl, judged, nullFactor) ? "safe to clip" : "costs something";
}

/** Part of a super weight's least effect below which a loss is no reason to spare a weight. */
const HARMLESS_PART = 0.1;

/** Whether its loss costs about as little as that of any other weight, or a small part of what a super weight's costs. */
export function isHarmless(kl: number | null | undefined, judged: JudgedOn, nullFactor: number): boolean {
  if (kl === null || kl === undefined) return false;
  const like = Math.max(nullFactor * (judged.null.kl ?? 0), HARMLESS_PART * judged.thresholdKl);
  return kl < judged.thresholdKl && kl <= like;
}
