import { parseRecipe } from "#shared/plan.ts";
import { bestVariant, paretoFront, rankVariants } from "#shared/ranking.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { RunDetail, VariantResult } from "#shared/run.ts";
import { FACTS, CONVENTION, scoresOf } from "./facts.ts";

/** A run of 24 variants over two bit widths, three blocks and the four arms; one failed. */
export function madeUpRun(): RunDetail {
  const recipes = [4, 3].flatMap((bits) =>
    ["group:64", "flat:16384", "tensor"].flatMap((granularity) =>
      (
        [
          {},
          { range: { method: "zscore", threshold: 5 } },
          { range: { method: "zscore", threshold: 5 }, restore: [[1, 137, 401]] },
          { restore: [[1, 137, 401]], excludeFromRange: true },
        ] as const
      ).map((fields) => parseRecipe({ scheme: "affine", bits, granularity, ...fields })),
    ),
  );
  const results = recipes.map((recipe, index): VariantResult => {
    const failed = index === 5;
    const harm = ((index % 4) + 1) * 0.01 * (5 - recipe.bits) ** 3 * (Math.floor(index / 4) + 1);
    return {
      id: index.toString(16).padStart(64, "0"),
      index,
      recipe,
      label: recipeLabel(recipe),
      status: failed ? "failed" : "done",
      bitsPerWeight: failed ? null : recipe.bits + (recipe.granularity === "group:64" ? 0.5 : 0.002),
      fileBitsPerWeight: failed ? null : recipe.bits + 2,
      perplexity: failed ? null : 1.8808 * Math.exp(harm),
      nll: failed ? null : Math.log(1.8808) + harm,
      tokens: failed ? null : 2000,
      kl: failed ? null : { mean: harm, median: harm / 2, p99: harm * 9, max: harm * 20, topAgreement: 0.9 },
      sqnrDb: failed ? null : 20 - index / 2,
      seconds: 1,
      worker: 0,
      startedAt: 0,
      finishedAt: 1,
      attempts: 1,
      ...(failed
        ? {
            error: {
              code: "recipe/x",
              message: "It does not fit.",
              next: "Choose another block.",
              details: {},
            },
          }
        : {}),
    };
  });
  return {
    summary: {
      id: "run-1",
      name: "Blocks and arms",
      note: "",
      edits: 0,
      imported: null,
      model: FACTS.model,
      modelName: FACTS.modelName,
      created: "2026-01-02T03:04:05.000Z",
      updated: "2026-01-02T03:09:05.000Z",
      status: "done",
      done: results.length - 1,
      failed: 1,
      total: results.length,
      best: bestVariant(results),
    },
    judge: { windows: "bos", tokens: 2000 },
    text: FACTS.text,
    calibration: null,
    convention: { ...CONVENTION },
    baseline: scoresOf(1.8808),
    superWeights: [[1, 137, 401]],
    results,
    best: bestVariant(results),
    ranking: rankVariants(results),
    pareto: paretoFront(results),
    workers: 2,
    threadsPerWorker: 1,
    device: "cpu",
    seconds: 300,
    notes: [],
  };
}
