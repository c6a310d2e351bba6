import type { Note } from "#shared/notes.ts";
import { roundingRecipe } from "#shared/lab/recipes.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { RangeRule, Coordinate, Recipe } from "#shared/recipe.ts";
import type { LabRun } from "./experiment.ts";

/** Bits and block of round-to-nearest as the paper quantizes, before anything is done about outliers. */
export interface Grid {
  readonly bits: number;
  readonly granularity: string;
}

/** Round-to-nearest and nothing else. */
export function plainRecipe({ bits, granularity }: Grid): Recipe {
  return parseRecipe(roundingRecipe({ bits, granularity, range: null }, []));
}

/** The paper's: other outliers clipped, the super weights (where there are any) put back exactly. */
export function clipRestoreRecipe(run: LabRun, { bits, granularity }: Grid, range: RangeRule): Recipe {
  return parseRecipe(roundingRecipe({ bits, granularity, range }, restoreList(run)));
}

/** The super weights as a recipe's `restore`: by coordinates, so that the recipe says all by itself. */
export function restoreList({ superWeights }: LabRun): Coordinate[] {
  return superWeights.map((coordinate): Coordinate => [...coordinate]);
}

/** What stands in the report of an experiment on a model without super weights. */
export function restoreNotes({ superWeights }: LabRun): Note[] {
  return superWeights.length > 0
    ? []
    : [
        {
          code: "restore/no-super-weight",
          text: "No super weight was found in this model: nothing is restored.",
        },
      ];
}
