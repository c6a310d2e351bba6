import { SCHEMES } from "#shared/schemes/index.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { TensorInfo } from "#shared/model.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { list } from "#shared/format.ts";
import type { KeptModule } from "#shared/exporting.ts";
import type { Override, Recipe, Restore } from "#shared/recipe.ts";
import { bytesText } from "#engine/files/output/diskErrors.ts";
import type { AdaptedRecipe, BytesOf, ExportModel } from "./exporter.ts";
import { restoredPlaces } from "./restoredWeights.ts";

/** Bytes of all tensors of a model. */
export function allBytes(
  { checkpoint }: ExportModel,
  plans: ReadonlyMap<string, TensorPlan>,
  bytesOf: BytesOf,
): number {
  return [...checkpoint.tensors.values()].reduce(
    (sum, tensor) => sum + bytesOf(tensor, plans.get(tensor.name)),
    0,
  );
}

/**
 * Brings a recipe to a format that cannot store a single exact weight: every module that holds a restored weight stays
 * unquantized or gets 8 bits, and nothing is restored or held out any more. What it costs is said.
 * @param eightBits the override that gives a module 8 bits in this format, less its `match`
 * @param bytesOf what the cost is taken from: what the files will need, not what the source took
 * @param copiedAs the packed type in which the files take a tensor over from the source; null where they hold its weights
 * @throws KeystoneError recipe/… where the recipe does not fit the model
 */
export function keepModules(
  recipe: Recipe,
  model: ExportModel,
  kept: KeptModule,
  eightBits: Omit<Override, "match">,
  bytesOf: BytesOf,
  copiedAs: (tensor: TensorInfo) => string | null = () => null,
): Pick<AdaptedRecipe, "recipe" | "changes" | "held"> {
  const before = plansOf(recipe, model);
  const holding = [...before.values()].filter((plan) => namedCount(plan) > 0);
  // the largest of every tensor cannot be kept by module: keepProblems says so
  if (recipe.restore === "none" || isLargest(recipe.restore)) return { recipe, changes: [] };
  // a module at a half type already has more than 8 bits
  const gets8 = (plan: TensorPlan): boolean => kept === "8-bit" && !SCHEMES[plan.scheme].rounds;
  const changed: Recipe = {
    ...recipe,
    restore: "none",
    excludeFromRange: false,
    overrides: [
      ...holding.map((plan): Override => ({
        match: plan.name,
        ...(gets8(plan) ? eightBits : { skip: true }),
      })),
      ...recipe.overrides,
    ],
  };
  if (holding.length === 0) return { recipe: changed, changes: [] };
  const after = plansOf(changed, model);
  const [cheap, dear] = [allBytes(model, before, bytesOf), allBytes(model, after, bytesOf)];
  const weights = parametersOf(model.checkpoint.tensors.values());
  const perWeight = (bytes: number): string => ((8 * bytes) / weights).toFixed(3);
  const becomes = (plan: TensorPlan): string => {
    if (gets8(plan)) return "gets 8 bits";
    const tensor = model.checkpoint.tensors.get(plan.name);
    const type = tensor ? copiedAs(tensor) : null;
    return type === null ? "stays unquantized" : `stays ${type}, as it is in the source`;
  };
  const modules = [...Map.groupBy(holding, becomes)].map(([one, plans]) => {
    const names = list(plans.map(({ name }) => name));
    const many = one.replace(/^(get|stay)s/, "$1").replace("it is", "they are");
    return plans.length === 1 ? `the module ${names} ${one}` : `the modules ${names} ${many}`;
  });
  const what = modules.join(", and ").replace(/^t/, "T");
  return {
    recipe: changed,
    held: restoredPlaces({ plans: before }).named,
    changes: [
      {
        code: "export/module-kept",
        text: `${what}, because this format cannot store one exact weight: ${costText(dear - cheap)}, ${perWeight(dear)} instead of ${perWeight(cheap)} bits per weight over the whole file.`,
      },
    ],
  };
}

function costText(bytes: number): string {
  const size = bytesText(Math.round(Math.abs(bytes)));
  return bytes < 0 ? `${size} less` : `${size} more`;
}

/** Weights of tensors, all together. */
export function parametersOf(tensors: Iterable<TensorInfo>): number {
  let count = 0;
  for (const { parameters } of tensors) count += parameters;
  return count;
}

/** What cannot be kept by module: the largest weights of every tensor would leave nothing quantized. */
export function keepProblems({ restore }: Recipe, subject: string): KeystoneErrorData[] {
  if (!isLargest(restore)) return [];
  return [
    new KeystoneError(
      "export/restore-largest",
      `${subject} cannot store single exact weights, and the recipe restores the ${restore.largest} largest of every tensor.`,
      "Restore the super weights alone, or export as onnx or safetensors.",
      { largest: restore.largest },
    ).toData(),
  ];
}

function isLargest(restore: Restore): restore is { largest: number } {
  return typeof restore === "object" && !Array.isArray(restore);
}

/** What a recipe makes of the model's tensors. @throws KeystoneError recipe/… */
export function plansOf(recipe: Recipe, model: ExportModel): ReadonlyMap<string, TensorPlan> {
  return planRecipe(model, recipe, model.superWeights).tensors;
}

function namedCount({ restore }: TensorPlan): number {
  return "indices" in restore ? restore.indices.length : 0;
}
