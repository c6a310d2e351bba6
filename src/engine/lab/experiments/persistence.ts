import type { LabReportOf } from "#shared/lab/index.ts";
import { orNull } from "#shared/numbers.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { median } from "#engine/evaluate/metrics.ts";
import type { ResidualPeaks } from "./residualPeaks.ts";

type Persistence = LabReportOf<"super-activations">["persistence"][number];

/**
 * How a super weight's channel behaves: in which share of the prompts it holds the largest value of the residual stream (the
 * channels of other super weights left out), in which share it does so at the commonest token, and how large it is. `token` is that
 * token where every prompt has it there, in all layers that carry it in every prompt.
 * @param rows the watched channels of the peaks
 * @param original peaks by [layer][prompt]
 * @param pruned what is left in the watched channels at the original's places without the super weights: [layer][prompt][channel]
 */
export function persistenceOf(
  superWeight: Coordinate,
  rows: readonly number[],
  original: readonly (readonly ResidualPeaks[])[],
  pruned: readonly (readonly (readonly number[])[])[],
): Persistence {
  const [from, row] = superWeight;
  const watched = rows.indexOf(row);
  const usual = commonest(
    original
      .slice(from)
      .flat()
      .map((peaks) => peaks.watched[watched].token),
  );
  const layers = original.map((prompts, layer) => {
    const carrying = prompts.filter((peaks) => carries(peaks, watched));
    const together = carrying.filter((peaks) => peaks.watched[watched].token === usual);
    return {
      layer,
      sameChannel: carrying.length / prompts.length,
      sameToken: together.length / prompts.length,
      magnitude: medianOf(prompts.map((peaks) => peaks.watched[watched].value)),
      withoutSuperWeights: medianOf(pruned[layer].map((values) => values[watched])),
    };
  });
  const run = longestRun(layers);
  return { superWeight: [...superWeight], layers, ...run, token: isFixed(layers, run) ? usual : null };
}

function isFixed(layers: Persistence["layers"], { from, to }: Run): boolean {
  return from !== null && to !== null && layers.slice(from, to + 1).every(({ sameToken }) => sameToken === 1);
}

function carries({ watched, elsewhere }: ResidualPeaks, row: number): boolean {
  return Math.abs(watched[row].value) > elsewhere;
}

function medianOf(values: readonly number[]): number | null {
  return orNull(median(values.map(Math.abs)));
}

/** The first of the commonest; null of none. */
function commonest(values: readonly number[]): number | null {
  const counts = [...Map.groupBy(values, (value) => value)].map(([value, { length }]) => ({ value, length }));
  return counts.toSorted((a, b) => b.length - a.length || a.value - b.value)[0]?.value ?? null;
}

type Run = Pick<Persistence, "from" | "to">;

/** The longest run of layers that carry it in every prompt. */
function longestRun(layers: Persistence["layers"]): Run {
  let best: { from: number; to: number } | null = null;
  let from: number | null = null;
  for (const { layer, sameChannel } of layers) {
    from = sameChannel === 1 ? (from ?? layer) : null;
    if (from !== null && (best === null || layer - from > best.to - best.from)) best = { from, to: layer };
  }
  return best ?? { from: null, to: null };
}
