import { activations as activationsSchema } from "#shared/recipe.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { LabReportOf, LabRequestOf } from "#shared/lab/index.ts";
import { rowActivations, weightRecipe } from "#shared/lab/activations.ts";
import { planActivations } from "#engine/recipe/planActivations.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { restoreList } from "../run/arms.ts";
import { recipeVariant } from "../run/recipeVariant.ts";
import type { LabRun } from "../run/experiment.ts";

export type ActivationRun = LabRun<LabRequestOf<"activations">>;
type Row = LabReportOf<"activations">["rows"][number];
export type Per = NonNullable<Row["per"]>;

/** A row before it is scored. */
export interface RowPlan {
  readonly name: string;
  readonly method: Row["method"];
  readonly per: Per | null;
  readonly weights: Row["weights"];
  readonly alpha: number | null;
}

/**
 * A row as a variant: smoothed where it is, then its weights quantized, then its activations as they pass.
 * @param maxima of the calibration text; only SmoothQuant needs them
 * @throws KeystoneError usage/no-calibration, activations/no-norm-weight
 */
export function rowVariant(run: ActivationRun, plan: RowPlan, maxima: ActivationMaxima | null): Variant {
  const { method, per, weights, alpha } = plan;
  const recipe = weightRecipe(plan, run.request, restoreList(run));
  const id = [method, per, weights, alpha].join();
  const { variant } = recipe
    ? recipeVariant(run, id, parseRecipe(recipe))
    : { variant: { id, plans: new Map() } };
  const activations = rowActivations(plan, run.request);
  if (activations === null) return variant;
  const asked = activationsSchema.parse(activations);
  const { architecture, superWeights } = run;
  return { ...variant, activations: planActivations(asked, { architecture, superWeights, maxima }) };
}

/** The rows that need no α: what 8-bit weights cost alone, and each method at one granularity. */
export function weightRows(run: ActivationRun): RowPlan[] {
  const none = { method: "none", per: null, alpha: null } as const;
  return [
    { ...none, name: "8-bit weights, activations as they are", weights: "8-bit" },
    {
      ...none,
      name: `8-bit weights clipped${andRestored(run)}, activations as they are`,
      weights: "8-bit clipped and restored",
    },
  ];
}

/** @param alpha SmoothQuant's, null = it is left out; super activations need super weights */
export function methodRows(run: ActivationRun, per: Per, alpha: number | null): RowPlan[] {
  const row = (method: Row["method"], words: string, more: Partial<RowPlan> = {}): RowPlan => ({
    name: `W8A8 per ${per}, ${words}`,
    ...{ method, per, weights: "8-bit", alpha: null },
    ...more,
  });
  const kept = "super activations kept";
  return [
    row("naive", "naive"),
    ...(alpha === null ? [] : [row("smoothquant", `SmoothQuant α ${alpha}`, { alpha })]),
    ...(run.superWeights.length === 0
      ? []
      : [
          row("super-activation", kept),
          row("super-activation", `${kept}, weights clipped and restored`, {
            weights: "8-bit clipped and restored",
          }),
        ]),
  ];
}

function andRestored({ superWeights }: ActivationRun): string {
  return superWeights.length > 0 ? " and restored" : "";
}
