import { parseGranularity } from "../recipe.ts";
import { granularityLabel } from "../recipeText.ts";
import type { FigureLayout } from "./figure.ts";

/**
 * Blocks once each, from the fewest weights that share a scale to the most: the fewer, the more bits their constants cost.
 * Where that does not tell them apart, by their names; a channel counts as a row of a large model.
 */
export function sortBlocks(used: readonly { granularity: string; bitsPerWeight: number | null }[]): string[] {
  const cost = new Map<string, number>();
  for (const { granularity, bitsPerWeight } of used)
    cost.set(granularity, Math.min(cost.get(granularity) ?? Infinity, bitsPerWeight ?? Infinity));
  return [...cost]
    .sort(([a, costA], [b, costB]) => {
      const known = Number.isFinite(costA) && Number.isFinite(costB) ? costB - costA : 0;
      return known || blockWeights(a) - blockWeights(b) || (a < b ? -1 : 1);
    })
    .map(([granularity]) => granularity);
}

const ROW_OF_A_LARGE_MODEL = 8192;

function blockWeights(text: string): number {
  const granularity = parseGranularity(text);
  switch (granularity.kind) {
    case "group":
    case "flat":
      return granularity.size;
    case "tile":
      return granularity.rows * granularity.columns;
    case "channel":
      return ROW_OF_A_LARGE_MODEL;
    case "tensor":
      return Infinity;
  }
}

/** One place a block; a run of N² weights also says N × N, as the paper names it. */
export function blockAxis(granularities: readonly string[]): FigureLayout {
  return {
    type: "linear",
    range: [-0.4, Math.max(1, granularities.length - 1) + 0.12],
    tickmode: "array",
    tickvals: granularities.map((_, i) => i),
    ticktext: granularities.map((text) => {
      const granularity = parseGranularity(text);
      const side = granularity.kind === "flat" ? Math.sqrt(granularity.size) : NaN;
      return Number.isInteger(side) && side >= 16
        ? `${side} × ${side}<br>${granularityLabel(text)}`
        : granularityLabel(text);
    }),
  };
}
