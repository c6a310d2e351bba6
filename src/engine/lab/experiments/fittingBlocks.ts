import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import { blockLayout } from "#engine/quantize/plan/blockLayout.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { plainRecipe } from "../run/arms.ts";
import { recipeVariant } from "../run/recipeVariant.ts";
import type { LabRun } from "../run/experiment.ts";

/** The blocks of a grid that fit the model, and what must be said of the others. */
export interface FittingBlocks {
  readonly blocks: readonly {
    readonly granularity: string;
    /** Another block that cuts every tensor in the same way: its figures are this one's too. */
    readonly same: string | null;
  }[];
  readonly notes: readonly Note[];
}

/**
 * Which blocks fit: one that does not divide a tensor is left out with the reason; of those that cut every tensor alike (all that are
 * larger than the largest tensor) one is computed, `tensor` or `channel` where it is among them.
 * @throws KeystoneError recipe/block-does-not-divide where none fits
 */
export function fittingBlocks(run: LabRun, granularities: readonly string[]): FittingBlocks {
  const cuts = new Map<string, string>();
  const notes: Note[] = [];
  let refused: KeystoneError | null = null;
  for (const granularity of new Set(granularities)) {
    try {
      const fitted = recipeVariant(run, granularity, plainRecipe({ bits: 4, granularity }));
      cuts.set(granularity, cutOf([...fitted.variant.plans.values()]));
      notes.push(...fitted.notes);
    } catch (error) {
      if (!(error instanceof KeystoneError)) throw error;
      refused ??= error;
      notes.push({ code: "granularity/left-out", text: `${granularity} is left out: ${error.message}` });
    }
  }
  if (cuts.size === 0 && refused) throw refused;
  const fitting = [...cuts].map(([granularity, cut]) => {
    const alike = [...cuts.keys()].filter((other) => cuts.get(other) === cut);
    const first = alike.find((other) => !other.includes(":")) ?? alike[0];
    if (first !== granularity)
      notes.push({
        code: "granularity/same",
        text: `${granularity} cuts every tensor of this model as ${first} does: the figures are the same.`,
      });
    return { granularity, same: first === granularity ? null : (first ?? null) };
  });
  return { blocks: fitting, notes };
}

/** How blocks lie in every tensor: equal texts, equal results. */
function cutOf(plans: readonly TensorPlan[]): string {
  return plans
    .map((plan) => {
      const { granularity } = plan;
      return granularity.kind === "tile"
        ? `${granularity.rows}x${granularity.columns}`
        : String(blockLayout(plan).size);
    })
    .join();
}
