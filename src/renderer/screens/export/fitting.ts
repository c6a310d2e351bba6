import { SCHEMES } from "#shared/schemes/index.ts";
import { ownFormatOf } from "#shared/exportFormats/index.ts";
import type { ExportFormat, FormatAnswer } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import { parseGranularity, type Recipe } from "#shared/recipe.ts";
import type { OwnPlan } from "./ownPlan.ts";

/** Weights of this many bits are no smaller as F16. */
const FULL_BITS = 16;

/**
 * The format to begin with: the packed one whose own scheme the variant has, otherwise the packed one that changes least of it and is
 * smallest. A copy that is as large as the source is proposed only where nothing is quantized.
 * @returns null where no packed format holds the variant: which to take then is the person's to say
 */
export function preselected(answers: readonly FormatAnswer[], recipe: Recipe): ExportFormat | null {
  const holding = answers.filter(({ problems }) => problems.length === 0);
  const packed = holding.filter(({ description }) => description.size === "packed");
  const own = packed.find(({ description: { format } }) => format === ownFormatOf(recipe.scheme));
  const [best] = packed.toSorted(
    (a, b) =>
      a.changes.length - b.changes.length || (a.weightBytes ?? Infinity) - (b.weightBytes ?? Infinity),
  );
  const chosen = own ?? best;
  if (chosen) return chosen.description.format;
  return recipe.bits >= FULL_BITS ? (holding[0]?.description.format ?? null) : null;
}

/** Of the recipes that a format can store instead of another one, that of the nearest size, and of equals the one that is as symmetric. */
export function nearestRecipe(
  { recipes }: OwnPlan,
  asked: Recipe,
  bitsPerWeight: number | null,
): Recipe | null {
  const wanted = bitsPerWeight ?? asked.bits;
  const away = (recipe: Recipe): number => Math.abs(sizeOf(recipe) - wanted);
  const [nearest] = recipes
    .map((recipe) => parseRecipe(recipe))
    .sort(
      (a, b) =>
        away(a) - away(b) ||
        Number(a.symmetric !== asked.symmetric) - Number(b.symmetric !== asked.symmetric),
    );
  return nearest ?? null;
}

/** Bits per weight of codes and constants, in groups of a row; what larger blocks add is next to nothing. */
function sizeOf({ scheme, bits, symmetric, granularity }: Recipe): number {
  const read = parseGranularity(granularity);
  const constants = SCHEMES[scheme].constants(bits, symmetric, "F16");
  return bits + (read.kind === "group" ? constants / read.size : 0);
}
