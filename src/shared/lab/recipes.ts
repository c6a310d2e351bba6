import type { LabReport, LabReportOf, LabRequestOf } from "./lab.ts";
import type { RangeRule, RecipeInput } from "./recipe.ts";

type SuperWeights = LabReport["superWeights"];
type ActivationRow = LabReportOf<"activations">["rows"][number];
type ActivationRequest = Pick<LabRequestOf<"activations">, "range" | "matmuls">;

/** A recipe of an experiment, with a name that is a file's too. */
export interface NamedRecipe {
  readonly name: string;
  readonly recipe: RecipeInput;
}

/**
 * Round-to-nearest as the paper quantizes, and with a clip the paper's arm: other outliers clipped, the super weights put back exactly.
 * They stand by their coordinates, so that the recipe says all by itself.
 */
export function roundingRecipe(
  { bits, granularity, range }: { bits: number; granularity: string; range: RangeRule | null },
  superWeights: SuperWeights,
): RecipeInput {
  const plain = { scheme: "affine", bits, granularity } as const;
  return range === null ? plain : { ...plain, range, restore: [...superWeights] };
}

/** Symmetric 8-bit weights, one scale a tensor, as the paper simulates W8A8; clipped and restored where asked. Null = the original. */
export function weightRecipe(
  { weights }: Pick<ActivationRow, "weights">,
  { range }: Pick<ActivationRequest, "range">,
  superWeights: SuperWeights,
): RecipeInput | null {
  if (weights === "original") return null;
  const plain = { scheme: "int", bits: 8, symmetric: true, granularity: "tensor" } as const;
  return weights === "8-bit" ? plain : { ...plain, range, restore: [...superWeights] };
}

/** What is done to a row's activations; null = they are as they are. */
export function rowActivations(
  { method, per, alpha }: Pick<ActivationRow, "method" | "per" | "alpha">,
  { matmuls }: Pick<ActivationRequest, "matmuls">,
): NonNullable<RecipeInput["activations"]> | null {
  if (method === "none" || per === null) return null;
  return { bits: 8, per, matmuls, method, ...(alpha === null ? {} : { alpha }) };
}

/** The recipes of the cells, in their order. */
export function blockScalingRecipes({ cells, superWeights }: LabReportOf<"block-scaling">): NamedRecipe[] {
  return cells.map((cell) => ({
    name: fileWord(`int${cell.bits} ${cell.granularity} ${cell.arm}`),
    recipe: roundingRecipe(cell, superWeights),
  }));
}

/** The recipes of the rows that quantize something, in their order. */
export function activationRecipes(
  { rows, superWeights }: LabReportOf<"activations">,
  request: ActivationRequest,
): NamedRecipe[] {
  return rows.flatMap((row) => {
    const weights = weightRecipe(row, request, superWeights);
    const activations = rowActivations(row, request);
    if (weights === null) return [];
    const name = fileWord(
      `${activations ? `w8a8 per ${row.per} ${row.method}` : "w8"}${row.weights === "8-bit" ? "" : " clip-restore"}`,
    );
    return [{ name, recipe: activations ? { ...weights, activations } : weights }];
  });
}

function fileWord(text: string): string {
  return text.replaceAll(/[^a-z0-9.]+/g, "-");
}
