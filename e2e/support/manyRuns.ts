// A studio with fifty kept runs of a hundred variants each, the last of them measured on another text, made up.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { parseRecipe } from "#shared/plan.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { ARCHIVE_FORMAT, ARCHIVE_VERSION } from "#shared/runArchive.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import { ImportedRuns } from "#studio/store/importedRuns.ts";
import { openDatabase } from "#studio/store/openDatabase.ts";
import { summarizeModel } from "#studio/context/summarizeModel.ts";
import { CONVENTION, scoresOf } from "../../test/support/madeUp/facts.ts";
import { serveStudio } from "./serveStudio.ts";

export const RUNS = 50;
export const VARIANTS = 100;
const MODEL = join(import.meta.dirname, "../../resources/demo-model/model");

/** A hundred recipes of one run, and what came of each: made up, but never twice the same. */
function resultsOf(run: number): VariantResult[] {
  const recipes = [2, 3, 4, 5, 6, 7, 8].flatMap((bits) =>
    Array.from({ length: 15 }, (_, i) =>
      parseRecipe({ scheme: "affine", bits, granularity: `group:${32 + 8 * i}` }),
    ),
  );
  return recipes.slice(0, VARIANTS).map((recipe, index): VariantResult => {
    const kl = 2 ** -recipe.bits * (1 + index / 1000 + run / 10_000);
    return {
      ...{ id: recipeId(recipe), index, recipe, label: recipeLabel(recipe), status: "done" },
      ...{ bitsPerWeight: recipe.bits + 32 / (32 + 8 * (index % 15)), fileBitsPerWeight: recipe.bits + 2 },
      ...{ perplexity: 2 + kl, nll: Math.log(2 + kl), tokens: 400, sqnrDb: 6 * recipe.bits, seconds: 1 },
      kl: { mean: kl, median: kl / 2, p99: kl * 9, max: kl * 20, topAgreement: 1 - kl / 4 },
      ...{ worker: 0, startedAt: 0, finishedAt: 1, attempts: 1 },
    };
  });
}

async function fill(folder: string): Promise<void> {
  const { fingerprint, path, name } = await summarizeModel(MODEL);
  const database = openDatabase(join(folder, "home", "keystone.sqlite"));
  const kept = new ImportedRuns(database);
  for (let run = 0; run < RUNS; run++) {
    const made = new Date(Date.UTC(2026, 0, 1, 0, run)).toISOString();
    const results = resultsOf(run);
    kept.keep(
      {
        manifest: {
          ...{ format: ARCHIVE_FORMAT, version: ARCHIVE_VERSION, exported: made, keystone: "0.1.0" },
          ...{ files: {}, detailsLeftOut: VARIANTS },
        },
        run: {
          ...{
            id: randomUUID(),
            name: `Sweep ${run + 1}`,
            note: "",
            created: made,
            updated: made,
            status: "done",
          },
          ...{
            model: { name, fingerprint },
            planHash: "0".repeat(64),
            judge: { windows: "bos", tokens: 400 },
          },
          text:
            run < RUNS - 1
              ? { name: "eval.jsonl", sha256: "a".repeat(64) }
              : { name: "other.txt", sha256: "b".repeat(64) },
          ...{ calibration: null, convention: { ...CONVENTION }, baseline: scoresOf(2), superWeights: [] },
          ...{ workers: 1, threadsPerWorker: 1, device: "cpu", seconds: 60, notes: [] },
        },
        results,
        details: [],
      },
      false,
    );
  }
  // As if they had been made here.
  database.prepare("UPDATE runs SET imported = NULL, model = ?").run(path);
  database.close();
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("Name the folder to serve.");
  await fill(folder);
  await serveStudio(folder);
}
