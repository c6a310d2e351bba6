import { sameWeights } from "#engine/evaluate/stream/sameWeights.ts";
import type { Recipe } from "#shared/recipe.ts";
import { needsCalibration } from "#shared/recipe.ts";
import { openModel, type OpenModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields, Twin, VariantRequest } from "../protocol/task.ts";
import { planVariant, type PlannedVariant } from "../model/variants.ts";

interface Planned extends PlannedVariant {
  readonly recipe: Recipe;
}

/** The variants that make the same weights as another one of them; of each such group the simplest is left out: it is scored. */
export async function sameTask(
  { model: handle, variants }: TaskFields<"same">,
  talk: Talk,
): Promise<readonly Twin[]> {
  const model = await openModel(handle);
  const planned = new Map(variants.flatMap((request) => planOrNothing(model, request)));
  const groups = await sameWeights(
    { ...model, ...talk.watch },
    [...planned].map(([id, { variant, recipe }]) => ({
      id,
      plans: variant.plans,
      beside: JSON.stringify(recipe.activations),
      smoothed: needsCalibration(recipe),
    })),
  );
  return groups.flatMap((ids) => {
    const group = ids.flatMap((id) => planned.get(id) ?? []);
    const [simplest] = group.toSorted(bySimplicity);
    return simplest ? group.filter((one) => one !== simplest).map((one) => twinOf(one, simplest)) : [];
  });
}

/** What cannot be made has no weights; the wave says why. Activations are no part of the weights, and may need a text. */
function planOrNothing(model: OpenModel, request: VariantRequest): [string, Planned][] {
  const { id, recipe } = request;
  try {
    const weightsAlone = { ...request, recipe: { ...recipe, activations: null } };
    return [[id, { ...planVariant(model, weightsAlone), recipe }]];
  } catch {
    return [];
  }
}

/** Fewer bits, no clipping, and of equals the one that the plan names first. */
function bySimplicity(a: Planned, b: Planned): number {
  return (
    a.bitsPerWeight - b.bitsPerWeight || Number(a.recipe.range !== null) - Number(b.recipe.range !== null)
  );
}

function twinOf({ variant, bitsPerWeight, fileBitsPerWeight }: Planned, simplest: Planned): Twin {
  return { id: variant.id, sameAs: simplest.variant.id, bitsPerWeight, fileBitsPerWeight };
}
