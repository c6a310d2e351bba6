import { meanAccuracy } from "#shared/figures/taskAccuracy.ts";
import type { ExperimentName } from "#shared/lab.ts";
import { parseRecipe } from "#shared/plan.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { Compared } from "./compared.ts";
import type { Column, Line } from "./compareTable.ts";

/** What rows of marks compare: each row's perplexity as a multiple of its model's own. */
export interface Measures {
  title: string;
  first: string;
  columns: readonly Column[];
  points: readonly Line[];
}

/** `value` as a multiple of the original's; null where either is missing. */
export function ratio(value: number | null | undefined, original: number | null | undefined): number | null {
  return value == null || original == null || original <= 0 ? null : value / original;
}

/** @param experiment one whose results are rows */
export function measures(
  experiment: Extract<ExperimentName, "importance" | "activations" | "threshold-search">,
  compared: readonly Compared[],
): Measures {
  if (experiment === "importance") {
    return {
      title: "What removing weights costs",
      first: "State",
      columns: ["Weights", "Perplexity", "KL", "Mean accuracy"],
      points: compared.flatMap(importancePoints),
    };
  }
  if (experiment === "activations") {
    return {
      title: "What 8-bit activations cost",
      first: "Row",
      columns: ["Perplexity", "KL", "Recovered", "Mean accuracy"],
      points: compared.flatMap(activationPoints),
    };
  }
  return {
    title: "What the search found, beside plain rounding",
    first: "Row",
    columns: ["Recipe", "Bits/weight", "Perplexity", "KL"],
    points: compared.flatMap(searchPoints),
  };
}

function importancePoints(one: Compared): Line[] {
  if (one.report.experiment !== "importance") return [];
  const [original, ...rows] = one.report.rows;
  return rows.map((row) => ({
    one,
    row: row.name,
    value: ratio(row.perplexity, original?.perplexity),
    cells: [row.weights, row.perplexity, row.kl?.mean ?? null, meanAccuracy(row.tasks)],
  }));
}

function activationPoints(one: Compared): Line[] {
  if (one.report.experiment !== "activations") return [];
  const { rows } = one.report;
  const original = rows.find(({ method, weights }) => method === "none" && weights === "original");
  return rows
    .filter((row) => row !== original)
    .map(({ name, scores, recovered, tasks }) => ({
      one,
      row: name,
      value: ratio(scores.perplexity, original?.scores.perplexity),
      cells: [scores.perplexity, scores.kl?.mean ?? null, recovered, meanAccuracy(tasks)],
    }));
}

function searchPoints(one: Compared): Line[] {
  if (one.report.experiment !== "threshold-search" || !one.report.result) return [];
  const { result, recipe, bits, granularity } = one.report;
  const label = recipe === null ? "none found" : recipeLabel(parseRecipe(recipe));
  return [
    { row: "plain rounding", scores: result.plain, label: `${bits} bits, ${granularity}` },
    { row: "found", scores: result.test, label },
  ].map(({ row, scores, label: words }) => ({
    one,
    row,
    value: ratio(scores.perplexity, result.original.perplexity),
    cells: [words, result.bitsPerWeight, scores.perplexity, scores.kl?.mean ?? null],
  }));
}
