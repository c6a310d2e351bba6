import type { Note } from "#shared/notes.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { ExportFormat, ExportRequest, KeptModule } from "#shared/exporting.ts";
import type { Recipe } from "#shared/recipe.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { eightBitEmbedding } from "./embeddingBits.ts";
import type { AdaptedRecipe, ExportModel } from "#engine/formats/write/exporter.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { exportVariant } from "./exportVariant.ts";
import { parametersOf } from "#engine/formats/write/keepModules.ts";
import type { WeightPlace } from "#engine/formats/write/restoredWeights.ts";
import type { ExportVariant } from "#engine/formats/write/exportedVariant.ts";

/** What an export writes, as the format holds it, and how that differs from what was asked for. */
export interface AdaptedVariant {
  readonly variant: ExportVariant;
  readonly changes: readonly Note[];
  readonly asked: AskedVariant;
}

/** What an export was asked for, before the format had its say. */
export interface AskedVariant {
  readonly recipe: Recipe;
  readonly kept: KeptModule;
  readonly embedding: KeptModule;
  /** Weights that the recipe restores and whose modules the format keeps at higher precision instead. */
  readonly held: readonly WeightPlace[];
}

/** A recipe and what of an export's choices bears on it. */
export type FormatRequest = Pick<ExportRequest, "format" | "recipe" | "kept"> &
  Partial<Pick<ExportRequest, "embedding">>;

/**
 * Brings a recipe to a format and down to the model's tensors.
 * @throws KeystoneError recipe/…, checkpoint/unreadable-dtype, export/kept where the format has no 8-bit modules,
 *   export/embedding where it cannot store an embedding of 8 bits
 */
export function adaptVariant(
  model: ExportModel,
  { recipe, format, kept, embedding = "unquantized" }: FormatRequest,
): AdaptedVariant {
  const { title, restored, kept: offered } = exportFormatOf(format);
  if (restored === "module" && !offered.includes(kept))
    throw new KeystoneError(
      "export/kept",
      `${title} cannot store modules of 8 bits beside its own.`,
      "Keep modules with restored weights unquantized.",
      { format, kept },
    );
  const ends = embeddingOf(model, { recipe, format, embedding });
  const adapted = exporters[format].adapt(ends.recipe, model, kept);
  const variant = exportVariant(model, adapted.recipe, model.superWeights, adapted.storage);
  const fileBitsPerWeight = writtenBits(model, format, variant) ?? variant.fileBitsPerWeight;
  return {
    variant: { ...variant, fileBitsPerWeight },
    changes: [...ends.changes, ...adapted.changes],
    asked: { recipe, kept, embedding, held: adapted.held ?? [] },
  };
}

/** The recipe with the embedding and head that were asked for. @throws KeystoneError export/embedding */
function embeddingOf(
  model: ExportModel,
  { recipe, format, embedding }: Pick<ExportRequest, "format" | "recipe" | "embedding">,
): Pick<AdaptedRecipe, "recipe" | "changes"> {
  if (embedding === "unquantized") return { recipe, changes: [] };
  const { eightBitEmbedding: eightBits, bytesOf } = exporters[format];
  if (eightBits && bytesOf) return eightBitEmbedding(recipe, model, eightBits, bytesOf);
  throw new KeystoneError(
    "export/embedding",
    `${exportFormatOf(format).title} cannot store an embedding of 8 bits.`,
    "Leave embedding and head unquantized, or export as gguf.",
    { format, embedding },
  );
}

/** Bits per weight over all tensors that the format's files hold; null where it cannot store the variant. */
function writtenBits(
  model: ExportModel,
  format: ExportFormat,
  { recipe, plans }: ExportVariant,
): number | null {
  const exporter = exporters[format];
  if (exporter.problems(recipe, { model, plans }).length > 0) return null;
  const carried = exporter.tensors?.(model);
  const tensors = [...model.checkpoint.tensors.values()].filter(({ name }) => carried?.has(name) ?? true);
  return (8 * exporter.weightBytes(model, plans)) / parametersOf(tensors);
}
