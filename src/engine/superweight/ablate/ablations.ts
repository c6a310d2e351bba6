import type { AblationKind } from "#shared/evaluation.ts";
import { coordinateWords } from "#shared/figures/detectionWords.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Engine, Watch } from "#engine/evaluate/stream/engine.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { scaleWeights } from "./edits.ts";
import { decoderWeights, outlierCount, pruneLargest } from "./largestWeights.ts";
import { pruneRandom } from "./randomWeights.ts";

/** One way of changing the model, before it is scored. */
export interface Ablation {
  readonly variant: Variant;
  readonly kind: AblationKind;
  readonly name: string;
  /** What is done, in words. */
  readonly change: string;
  /** How many weights are changed. */
  readonly weights: number;
}

/** @throws KeystoneError usage/no-such-weight */
export function superWeightsPruned(engine: Engine, superWeights: readonly Coordinate[]): Ablation {
  return {
    kind: "super-weights",
    name: "super weights pruned",
    change: `${them(superWeights)} set to zero`,
    weights: superWeights.length,
    variant: {
      id: "pruned",
      plans: new Map(),
      edits: scaleWeights(engine.architecture, superWeights, 0),
    },
  };
}

/**
 * Pruned, but at each sequence's position of the largest |Y[:, row]| of the original its value is written back. None where a layer norms
 * or scales Y before it adds it: there the value of Y alone cannot be put back.
 */
export function superActivationKept(engine: Engine, superWeights: readonly Coordinate[]): Ablation[] {
  if (!superWeights.every(([layer]) => engine.architecture.addsDownOutput(layer))) return [];
  const rows = new Map(superWeights.map(([layer, row]) => [`${layer},${row}`, { layer, row }]));
  const kept: Ablation = {
    kind: "super-activation-kept",
    name: "super weights pruned, super activation kept",
    change: `${them(superWeights)} set to zero, the largest value of their output channel put back as the original has it`,
    weights: superWeights.length,
    variant: {
      id: "kept",
      plans: new Map(),
      edits: scaleWeights(engine.architecture, superWeights, 0),
      keepSuperActivation: [...rows.values()],
    },
  };
  return [kept];
}

/** As many outliers as the paper prunes, the super weights spared. Reads the checkpoint once. */
export async function largestOthersPruned(
  engine: Engine,
  superWeights: readonly Coordinate[],
  watch: Watch = {},
): Promise<Ablation> {
  const count = outlierCount(decoderWeights(engine));
  return {
    kind: "largest-others",
    name: "largest other weights pruned",
    change: `the ${words(count)} largest other weights of the decoder's linears set to zero`,
    weights: count,
    variant: {
      id: "outliers",
      plans: new Map(),
      edits: await pruneLargest(engine, count, superWeights, watch),
    },
  };
}

/** As many weights as {@link largestOthersPruned} takes, drawn at random: what pruning that many costs by itself. */
export function randomOthersPruned(
  engine: Engine,
  superWeights: readonly Coordinate[],
  seed: number,
): Ablation {
  const count = outlierCount(decoderWeights(engine));
  return {
    kind: "random-others",
    name: "random other weights pruned",
    change: `${words(count)} other weights of the decoder's linears, drawn at random (seed ${seed}), set to zero`,
    weights: count,
    variant: { id: "random", plans: new Map(), edits: pruneRandom(engine, count, superWeights, seed) },
  };
}

/** One super weight pruned, the others in place. @throws KeystoneError usage/no-such-weight */
export function onePruned(engine: Engine, coordinate: Coordinate): Ablation {
  const place = coordinateWords(coordinate);
  return {
    kind: "one-super-weight",
    name: `${place} alone pruned`,
    change: `the super weight of ${place} set to zero, the others left in place`,
    weights: 1,
    variant: {
      id: `alone ${coordinate.join()}`,
      plans: new Map(),
      edits: scaleWeights(engine.architecture, [coordinate], 0),
    },
  };
}

/** @throws KeystoneError usage/no-such-weight */
export function superWeightsScaled(
  engine: Engine,
  superWeights: readonly Coordinate[],
  factor: number,
): Ablation {
  return {
    kind: "scaled",
    name: `super weights × ${factor}`,
    change: `${them(superWeights)} multiplied by ${factor}`,
    weights: superWeights.length,
    variant: {
      id: `scale ${factor}`,
      plans: new Map(),
      edits: scaleWeights(engine.architecture, superWeights, factor),
    },
  };
}

function them({ length }: readonly Coordinate[]): string {
  return length === 1 ? "the super weight" : `the ${length} super weights`;
}

function words(count: number): string {
  return count.toLocaleString("en-US");
}
