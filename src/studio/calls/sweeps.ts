import { randomUUID } from "node:crypto";
import { KeystoneError } from "#shared/errors.ts";
import type { ModelSummary } from "#shared/model.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { parsePlan, type Plan } from "#shared/plan.ts";
import { needsCalibration } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { requireNormWeights } from "#engine/recipe/smoothing.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import { calibrationFor } from "../models/calibration.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { runnableModel } from "../context/launch.ts";
import { newVariant } from "../store/variantRows.ts";
import { withCheckpoint } from "../context/summarizeModel.ts";
import { coarseToFine, planAxes } from "../sweep/order.ts";
import { startSweep } from "../sweep/startSweep.ts";
import { targetProblems } from "../sweep/target.ts";
import {
  ownRun,
  planHash,
  requireSame,
  sameCalibration,
  sameJudge,
  textHash,
  variantsToRetry,
} from "./sameRun.ts";

/** Starting runs, and going on with them. */
export function sweepCalls(context: StudioContext): Answers<"job:sweep" | "run:resume" | "run:retry"> {
  const { access, runs, events } = context;
  return {
    "job:sweep": async ({ model: path, plan: input, text: textPath, name, workers, calibration: named }) => {
      const model = await runnableModel(context, path);
      const text = access.check(textPath);
      const plan = parsePlan(input);
      await checkRecipes(model, plan);
      const calibration = await calibrationFor(access, plan.recipes, { named, model: model.path, text });
      const run = randomUUID();
      runs.create({
        id: run,
        name: name ?? plan.name ?? `${model.name}, ${plan.recipes.length} variants`,
        model: model.path,
        modelName: model.name,
        fingerprint: model.fingerprint,
        planHash: planHash(plan),
        judge: plan.judge,
        text,
        textHash: await textHash(text),
        calibration: calibration === null ? null : { path: calibration, hash: await textHash(calibration) },
        variants: newVariants(plan),
        order: coarseToFine(planAxes(input, plan.recipes.length)),
      });
      events.emit({ type: "run", run: runs.summary(run) });
      return {
        job: startSweep(context, { run, model, text, calibration, workers: workers ?? null, only: null }),
        run,
      };
    },

    "run:resume": async ({
      run,
      model: modelPath,
      plan,
      text: textPath,
      workers,
      calibration: calibrationPath,
    }) => {
      const row = ownRun(runs.row(run));
      const model = await runnableModel(context, modelPath ?? row.model);
      const text = access.check(textPath ?? row.text);
      const calibration = await sameCalibration(access, row, calibrationPath);
      requireSame(
        row.fingerprint === model.fingerprint,
        "model",
        run,
        `another model than ${model.path}`,
        "Name the checkpoint it was started with; if its files were changed, start a new run.",
      );
      if (plan !== undefined) {
        const given = parsePlan(plan);
        requireSame(
          row.plan_hash === planHash(given),
          "plan",
          run,
          "another plan",
          "Name the plan it was started with, or start a new run.",
        );
        requireSame(
          sameJudge(row.judge, given.judge),
          "judge",
          run,
          "another judge (context, stride, tokens or windows)",
          "Name the plan it was started with, or start a new run.",
        );
      }
      requireSame(
        row.text_hash === (await textHash(text)),
        "text",
        run,
        `another text than ${text}`,
        "Name the text it was started with; if the file was changed, start a new run.",
      );
      runs.claim(run, { model: model.path, text, calibration });
      runs.reset(
        run,
        new Set(runs.results(run).flatMap(({ id, status }) => (status === "cancelled" ? [id] : []))),
        { keepAttempts: true },
      );
      return {
        job: startSweep(context, { run, model, text, calibration, workers: workers ?? null, only: null }),
      };
    },

    "run:retry": async ({ run, variants }) => {
      const row = ownRun(runs.row(run));
      const model = await runnableModel(context, row.model);
      requireSame(
        row.fingerprint === model.fingerprint,
        "model",
        run,
        "another model",
        "Start a new run: the checkpoint's files were changed.",
      );
      const text = access.check(row.text);
      requireSame(
        row.text_hash === (await textHash(text)),
        "text",
        run,
        "another text",
        "Start a new run: the text was changed.",
      );
      const calibration = await sameCalibration(access, row);
      const only = variantsToRetry(run, runs.results(run), variants ?? null);
      runs.claim(run, { model: model.path, text, calibration });
      runs.reset(run, only);
      events.emit({ type: "variants", run, results: runs.results(run).filter(({ id }) => only.has(id)) });
      return { job: startSweep(context, { run, model, text, calibration, workers: null, only }) };
    },
  };
}

/**
 * Every recipe is brought down to the model's tensors before anything runs, and held against the format that the plan names,
 * so that an impossible one is refused at once. Of recipes that differ only in what always fits (clip) one is enough.
 * @throws KeystoneError recipe/…, plan/target
 */
async function checkRecipes(model: ModelSummary, plan: Plan): Promise<void> {
  const different = new Map(
    plan.recipes.map((recipe) => [
      canonicalJson({ ...recipe, range: null, excludeFromRange: false }),
      recipe,
    ]),
  );
  await withCheckpoint(model.path, (checkpoint) => {
    const architecture = architectureOf(checkpoint);
    for (const recipe of different.values()) {
      if (needsCalibration(recipe)) requireNormWeights(architecture);
      planRecipe({ checkpoint, architecture }, recipe, []);
    }
    if (plan.target === null) return;
    const problems = targetProblems({ checkpoint, architecture, superWeights: [] }, plan.target, [
      ...different.values(),
    ]);
    const [first] = problems;
    if (first) throw KeystoneError.fromData(first);
  });
}

function newVariants(plan: Plan): VariantResult[] {
  return plan.recipes.map((recipe, index) =>
    newVariant({ id: recipeId(recipe), index, recipe, label: recipeLabel(recipe), attempts: 0 }),
  );
}
