import { schemeHasGranularity, SCHEMES, type SchemeName } from "#shared/schemes/index.ts";
import type { KeystoneErrorData } from "#shared/errors.ts";
import { exportFormatOf, type ExportFormat } from "#shared/exportFormats/index.ts";
import type { ModelSummary } from "#shared/model.ts";
import type { Override, Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { VLLM_GROUP_BLOCKS } from "#shared/exportFormats/vllm.ts";
import { granularityMisfit } from "../sweep/fit.ts";

/** As a person would write it; the wizard and the sweep read it like any other. */
export interface OwnPlan {
  readonly name: string;
  readonly recipes: readonly Partial<Recipe>[];
  readonly target: ExportFormat;
}

/** What another recipe would mend; the model itself cannot be helped by one. */
const MENDED = new Set([
  "export/activations",
  "export/bits",
  "export/block",
  "export/scheme",
  "export/gguf-scheme",
  "export/packed-block",
  "export/packed-scheme",
]);

/**
 * A plan that scores a variant in a format's own schemes, so that what leaves was judged: the nearest number of bits that is not
 * below the variant's, symmetric and asymmetric where there is a choice, its block or those nearest, its clips, its restored
 * weights and the tensors it leaves alone.
 * @returns null where no recipe would mend what keeps the format from holding it
 */
export function ownPlan(
  format: ExportFormat,
  { recipe, problems }: { recipe: Recipe; problems: readonly KeystoneErrorData[] },
  model: Pick<ModelSummary, "tensors">,
): OwnPlan | null {
  if (problems.some(({ code }) => !MENDED.has(code))) return null;
  const { range, restore, excludeFromRange, ignore } = recipe;
  const overrides = recipe.overrides.flatMap((override) => ownOverride(override, format));
  const own = exportFormatOf(format).own.filter(
    (scheme) =>
      // a mix has types of its own for what a recipe leaves alone
      SCHEMES[scheme].mix === undefined && granularitiesNear(scheme, recipe.granularity, model).length > 0,
  );
  const recipes = schemesNear(own, recipe.bits).flatMap(({ scheme, bits }) =>
    (SCHEMES[scheme].symmetric ? [true, false] : [false]).flatMap((symmetric) =>
      granularitiesNear(scheme, recipe.granularity, model).map((granularity) => ({
        ...{ scheme, bits, symmetric, granularity },
        ...{ range, restore, excludeFromRange, ignore, overrides },
      })),
    ),
  );
  return recipes.length === 0
    ? null
    : { name: `${recipeLabel(recipe)}, for ${format}`, recipes, target: format };
}

/**
 * What of an override does not hang on the scheme: whether its tensors stay as they are, and their clip. Those rounded to a half
 * type stay so where the format holds that, and are left alone elsewhere: 4 bits are not what was asked for.
 */
function ownOverride({ match, skip, range, scheme, bits }: Override, format: ExportFormat): Override[] {
  if (scheme && SCHEMES[scheme].rounds && !skip)
    return [
      exportFormatOf(format).holdsHalfTypes
        ? { match, scheme, ...(bits !== undefined && { bits }) }
        : { match, skip: true },
    ];
  if (skip === undefined && range === undefined) return [];
  return [{ match, ...(skip !== undefined && { skip }), ...(range !== undefined && { range }) }];
}

/** Schemes at the least number of bits that is not below `wanted`, or at their most. */
function schemesNear(schemes: readonly SchemeName[], wanted: number): { scheme: SchemeName; bits: number }[] {
  const choices = schemes.flatMap((scheme) => SCHEMES[scheme].bits.map((bits) => ({ scheme, bits })));
  const enough = choices.map(({ bits }) => bits).filter((bits) => bits >= wanted);
  const bits = enough.length > 0 ? Math.min(...enough) : Math.max(...choices.map((choice) => choice.bits));
  return choices.filter((choice) => choice.bits === bits);
}

/** The block itself where the scheme has it, otherwise the largest two of the usual groups that it has; all of them divide every row. */
function granularitiesNear(
  scheme: SchemeName,
  wanted: string,
  model: Pick<ModelSummary, "tensors">,
): string[] {
  const { granularities, shortBlocks, fallback } = SCHEMES[scheme];
  const fits = (granularity: string): boolean =>
    schemeHasGranularity(scheme, granularity) &&
    (shortBlocks === true || granularityMisfit(granularity, model) === null);
  if (fallback !== undefined) return [String(granularities)].filter(fits);
  return fits(wanted) ? [wanted] : VLLM_GROUP_BLOCKS.filter(fits).slice(0, 2);
}
