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

/** Brings a recipe to a format and down to the model's tensors. @throws KeystoneError recipe/…, checkpoint/unreadable-dtype */
export function adaptVariant(
  model: ExportModel,
  { recipe, format, kept }: Pick<ExportRequest, "recipe" | "format" | "kept">,
): AdaptedVariant {
  const adapted = exporters[format].adapt(recipe, model, kept);
  const variant = exportVariant(model.checkpoint, adapted.recipe, {
    superWeights: model.superWeights,
    downProjection: (layer) => model.architecture.downProjection(layer),
    storage: adapted.storage,
  });
  return { variant, changes: adapted.changes };
}
