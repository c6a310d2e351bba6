import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { adaptVariant, type AdaptedVariant, type FormatRequest } from "./adaptVariant.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { exporters } from "#engine/formats/exporters.ts";

/** A recipe held against a format on one model: what the format makes of it, or why it cannot store it. */
export type HeldRecipe =
  | { readonly problems: readonly []; readonly adapted: AdaptedVariant }
  | { readonly problems: readonly [KeystoneErrorData, ...KeystoneErrorData[]]; readonly adapted: null };

/**
 * Asks a format whether it holds a recipe, from shapes alone. A choice of kept modules, embedding and head that the
 * format does not offer counts as the one it has.
 */
export function checkSupport(
  model: ExportModel,
  { format, recipe, kept, embedding = "unquantized" }: FormatRequest,
): HeldRecipe {
  const exporter = exporters[format];
  const offered = exportFormatOf(format).kept.includes(kept) ? kept : "unquantized";
  try {
    const ends = exporter.eightBitEmbedding ? embedding : "unquantized";
    const adapted = adaptVariant(model, { recipe, format, kept: offered, embedding: ends });
    const { variant } = adapted;
    const [first, ...others] = exporter.problems(variant.recipe, { model, plans: variant.plans });
    return first ? { problems: [first, ...others], adapted: null } : { problems: [], adapted };
  } catch (thrown) {
    if (!(thrown instanceof KeystoneError)) throw thrown;
    return { problems: [thrown.toData()], adapted: null };
  }
}
