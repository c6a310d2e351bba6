import type { Change, ExpertsReport, SuperExpert } from "../detection.ts";
import { count, list, plural } from "../format.ts";
import { klOf } from "./detectionTables.ts";
import type { FigureTable } from "./index.ts";

/** What the prompt says of a model's experts, and what it cannot say. */
export function expertsSentence({ total, reached, superExperts }: ExpertsReport): string {
  const unjudged = total - reached;
  const rest =
    unjudged === 0 ? "" : ` The other ${plural(unjudged, "expert")} got no token of it: they are unjudged.`;
  const found =
    superExperts.length === 0
      ? "none of them is a super expert"
      : `${count(superExperts.length)} of them ${superExperts.length === 1 ? "is a super expert" : "are super experts"}`;
  return `The prompt reached ${count(reached)} of ${plural(total, "expert")}, and ${found}: an output of down_proj beyond the 99.5th percentile and a tenth of the largest.${rest}`;
}

/** How a recipe leaves super experts as they are; null where there is none. */
export function protectionWords({ superExperts }: ExpertsReport): string | null {
  if (superExperts.length === 0) return null;
  const patterns = superExperts.map(({ module }) => `"${module}.*"`);
  return `A recipe whose ignore has ${list(patterns)} leaves ${superExperts.length === 1 ? "it" : "them"} unquantized.`;
}

/** Super experts, the largest output first. */
export function superExpertTable({ superExperts }: ExpertsReport): FigureTable {
  return {
    columns: [
      { title: "Layer", format: "text" },
      { title: "Expert", format: "text" },
      { title: "Largest output", format: "number", decimals: 1 },
      { title: "× median expert", format: "number", decimals: 1 },
      { title: "Tokens of the prompt", format: "count" },
      { title: "KL without the expert", format: "divergence" },
    ],
    rows: superExperts.map(({ layer, expert, output, timesMedian, tokens, effect }) => [
      ...[String(layer), String(expert), output.value, timesMedian, tokens],
      klOf(measuredEffect({ effect })),
    ]),
  };
}

/** What its loss costs; null where nothing at all changes: then no token of the text went through the expert. */
export function measuredEffect({ effect }: Pick<SuperExpert, "effect">): Change | null {
  return effect?.kl === 0 && effect.nllChange === 0 ? null : effect;
}
