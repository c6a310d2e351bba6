import { KeystoneError } from "#shared/errors.ts";
import type { ExportRequest } from "#shared/exporting.ts";
import type { ExportModel } from "./exporter.ts";
import { exporters } from "./exporters.ts";
import { exportVariant } from "./exportVariant.ts";
import type { ExportVariant } from "./types.ts";

/** What an export writes, as the format holds it, and how that differs from what was asked for. */
export interface AdaptedVariant {
  readonly variant: ExportVariant;
  readonly changes: readonly string[];
}

/**
 * Brings a recipe to a format and down to the model's tensors.
 * @throws KeystoneError recipe/…, checkpoint/unreadable-dtype, export/kept where the format has no 8-bit modules
 */
export function adaptVariant(
  model: ExportModel,
  { recipe, format, kept }: Pick<ExportRequest, "recipe" | "format" | "kept">,
): AdaptedVariant {
  const { title, restored, kept: offered } = exporters[format].describe();
  if (restored === "module" && !offered.includes(kept))
    throw new KeystoneError(
      "export/kept",
      `${title} has no place for modules of 8 bits beside its own.`,
      "Keep modules with restored weights unquantized.",
      { format, kept },
    );
  const adapted = exporters[format].adapt(recipe, model, kept);
  const variant = exportVariant(model.checkpoint, adapted.recipe, {
    superWeights: model.superWeights,
    downProjection: (layer) => model.architecture.downProjection(layer),
    storage: adapted.storage,
  });
  return { variant, changes: adapted.changes };
}
