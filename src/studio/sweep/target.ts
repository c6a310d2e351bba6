import { distinctNotes, type Note } from "#shared/notes.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { checkSupport } from "#engine/export/variant/checkSupport.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import type { Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";

/** Recipes named in one sentence; the others are counted. */
const MAX_NAMED = 3;

/**
 * What the format that a plan aims for cannot store: one problem for each kind of reason, in the words of the first recipe
 * that has it, with the others counted.
 * @returns `plan/target` problems; empty = every recipe can leave as that format
 */
export function targetProblems(
  model: ExportModel,
  format: ExportFormat,
  recipes: readonly Recipe[],
): KeystoneErrorData[] {
  const reasons = new Map<string, { problem: KeystoneErrorData; labels: string[] }>();
  for (const recipe of recipes) {
    const { problems } = checkSupport(model, { format, recipe, kept: "unquantized" });
    for (const problem of problems) {
      const reason = reasons.get(problem.code) ?? { problem, labels: [] };
      reason.labels.push(recipeLabel(recipe));
      reasons.set(problem.code, reason);
    }
  }
  return [...reasons.values()].map(({ problem, labels }) =>
    new KeystoneError(
      "plan/target",
      `The plan aims for ${format}, which cannot hold ${namesOf(labels)}: ${problem.message}`,
      `${problem.next} Or leave "target" out of the plan.`,
      { format, reason: problem.code, recipes: labels.length },
    ).toData(),
  );
}

/** How the format changes recipes that it holds; each sentence once. */
export function targetChanges(model: ExportModel, format: ExportFormat, recipes: readonly Recipe[]): Note[] {
  const changes = recipes.flatMap(
    (recipe) => checkSupport(model, { format, recipe, kept: "unquantized" }).adapted?.changes ?? [],
  );
  return distinctNotes(changes);
}

function namesOf(labels: readonly string[]): string {
  const named = [...new Set(labels)];
  const shown = named
    .slice(0, MAX_NAMED)
    .map((label) => `"${label}"`)
    .join(", ");
  const more = named.length - MAX_NAMED;
  return more > 0 ? `${shown} and ${more.toLocaleString("en-US")} more` : shown;
}
