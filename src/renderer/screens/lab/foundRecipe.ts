import type { LabReportOf } from "#shared/lab/index.ts";
import { parseRecipe, USUAL_JOIN } from "#shared/plan.ts";

/**
 * A plan that scores the recipe a search found beside plain rounding at the same bits and block.
 * @throws KeystoneError recipe/invalid
 */
export function sweepOf(report: LabReportOf<"threshold-search">): unknown {
  const found = parseRecipe(report.recipe, "the found recipe");
  const { scheme, bits, symmetric, granularity } = found;
  const { windows, context, join } = report.convention;
  return {
    name: `Threshold search, ${bits} bits`,
    recipes: [{ scheme, bits, symmetric, granularity }, found],
    judge: { windows, context, ...(join === undefined || join === USUAL_JOIN[windows] ? {} : { join }) },
  };
}
