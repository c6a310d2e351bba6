import { createHash, randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { ModelSummary } from "#shared/model.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { recipeInOldWords } from "#shared/oldWords.ts";
import { parsePlan, type Judge, type Plan } from "#shared/plan.ts";
import { needsCalibration, type Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { requireNormWeights } from "#engine/recipe/smoothing.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import type { Access } from "../access.ts";
import { calibrationFor } from "../calibration.ts";
import type { Answers, StudioContext } from "../context.ts";
import { runnableModel, soloHandle, superWeights } from "../launch.ts";
import { memoryOf, modelShape, sizeSweep, type WorkSize } from "../sizing.ts";
import type { RunRow } from "../store/rows.ts";
import { newVariant } from "../store/runStore.ts";
import { withCheckpoint } from "../summarizeModel.ts";
import { coarseToFine, planAxes } from "../sweep/order.ts";
import { SweepReporter } from "../sweep/reporter.ts";
import { RunClock } from "../sweep/runClock.ts";
import { runSweep } from "../sweep/sweep.ts";
import { targetProblems } from "../sweep/target.ts";
import { fileHash } from "./texts.ts";

/** Tokens assumed of a text whose plan does not limit them, per byte: sizes waves before anything was tokenised. */
const TOKENS_PER_BYTE = 1 / 3;
/** While no text is chosen yet. */
const DEFAULT_TOKENS = 4096;

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

/** An imported run is a record of what was scored elsewhere: nothing is added to it here. */
function ownRun(row: RunRow): RunRow {
  if (row.imported === null) return row;
  throw new KeystoneError(
    "run/imported",
    `Run ${row.id} was imported: what it holds was scored elsewhere, and nothing is added to it here.`,
    "Start a new sweep of its plan.",
    { run: row.id },
  );
}

interface SweepStart {
  run: string;
  model: ModelSummary;
  text: string;
  calibration: string | null;
  workers: number | null;
  /** Ids of the variants to run; null = all that wait. */
  only: ReadonlySet<string> | null;
}

/** Queues the job that executes a run's waiting variants. */
function startSweep(
  context: StudioContext,
  { run, model, text, calibration, workers, only }: SweepStart,
): string {
  const { runs, jobs, kept, pools, events } = context;
  const row = runs.row(run);
  const reporter = new SweepReporter(events, run);
  const clock = new RunClock(row.seconds);
  return jobs.start({
    kind: "sweep",
    title: row.name,
    model: model.path,
    run,
    work: async (job) => {
      const variants = runs.waiting(run).filter(({ id }) => !only || only.has(id));
      const shape = modelShape(model);
      const size = await sizeFor(context, model, text, row.judge, recipesOf(variants), workers);
      const pool = await pools.lend(size.workers);
      clock.start();
      try {
        const handle = {
          path: model.path,
          revision: model.revision,
          device: await context.devices.chosen(),
          threads: size.threadsPerWorker,
        };
        return await runSweep(
          {
            run,
            model: handle,
            solo: await soloHandle(context, model),
            shape,
            text,
            calibration,
            variants,
            size,
            superWeights: (lent, watch) => superWeights(context, { ...job, progress: watch }, lent, model),
          },
          { runs, kept, pool, reporter, clock, job, closing: () => context.closing() },
        );
      } finally {
        clock.stop();
        pools.giveBack(pool);
      }
    },
    onPause: (paused) => {
      clock.setPaused(paused);
      reporter.run(runs.setStatus(run, paused ? "paused" : "running", clock.seconds()));
    },
    onEnd: (status) => {
      // Cancelled before its turn came: nothing has written its end yet.
      if (status === "cancelled" && runs.summary(run).status === "waiting")
        reporter.run(runs.setStatus(run, context.closing() ? "interrupted" : "cancelled"));
      if (status === "failed" && runs.summary(run).status === "waiting")
        reporter.run(runs.setStatus(run, "failed"));
    },
  });
}

/** Workers, threads and waves for a sweep of this model on this text. @param counted the text's tokens, where they are known */
export async function sizeFor(
  context: StudioContext,
  model: ModelSummary,
  text: string | null,
  judge: Judge,
  recipes: readonly Recipe[],
  workers: number | null,
  counted: number | null = null,
): Promise<WorkSize & { tokens: number }> {
  const settings = context.settings();
  const tokens =
    counted === null ? await expectedTokens(text, judge) : Math.min(judge.tokens ?? Infinity, counted);
  // Several workers on one accelerator only share it, and its memory.
  const usual = (await context.devices.chosen()) === "cpu" ? null : 1;
  const work = { tokens, variants: Math.max(1, recipes.length), ...memoryOf(recipes) };
  const size = sizeSweep(modelShape(model), work, context.machine(), {
    ...settings,
    workers: workers ?? settings.workers ?? usual,
  });
  return { ...size, tokens };
}

async function expectedTokens(text: string | null, judge: Judge): Promise<number> {
  if (text === null) return judge.tokens ?? DEFAULT_TOKENS;
  const { size } = await stat(text).catch(() => ({ size: 0 }));
  return Math.min(judge.tokens ?? Infinity, Math.ceil(size * TOKENS_PER_BYTE));
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

function recipesOf(variants: readonly VariantResult[]): Recipe[] {
  return variants.map(({ recipe }) => recipe);
}

function newVariants(plan: Plan): VariantResult[] {
  return plan.recipes.map((recipe, index) =>
    newVariant({ id: recipeId(recipe), index, recipe, label: recipeLabel(recipe), attempts: 0 }),
  );
}

function planHash(plan: Plan): string {
  return createHash("sha256")
    .update(canonicalJson(plan.recipes.map(recipeInOldWords)))
    .digest("hex");
}

function sameJudge(a: Judge, b: Judge): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

async function textHash(path: string): Promise<string> {
  return fileHash(path).catch((cause: unknown) => {
    throw new KeystoneError(
      "text/missing",
      `The text ${basename(path)} cannot be read (${path}).`,
      "Check the path of the text.",
      { path },
      { cause },
    );
  });
}

/** A run's calibration text where it lies today; null where the run has none. @throws KeystoneError run/other-calibration */
async function sameCalibration(access: Access, row: RunRow, named?: string): Promise<string | null> {
  if (row.calibration === null) return null;
  const path = access.check(named ?? row.calibration);
  requireSame(
    row.calibration_hash === (await textHash(path)),
    "calibration",
    row.id,
    `another calibration text than ${path}`,
    "Name the calibration text it was started with; if the file was changed, start a new run.",
  );
  return path;
}

function requireSame(
  same: boolean,
  what: "model" | "plan" | "text" | "judge" | "calibration",
  run: string,
  found: string,
  next: string,
): void {
  if (same) return;
  throw new KeystoneError(`run/other-${what}`, `Run ${run} was started with ${found}.`, next, { run, what });
}

/** Ids of the named variants that are not done; of all that failed or were cancelled where none are named. @throws KeystoneError run/no-such-variant */
function variantsToRetry(
  run: string,
  results: readonly VariantResult[],
  named: readonly string[] | null,
): Set<string> {
  const status = new Map(results.map((result) => [result.id, result.status]));
  const unknown = named?.find((id) => !status.has(id));
  if (unknown !== undefined) {
    throw new KeystoneError(
      "run/no-such-variant",
      `Run ${run} has no variant ${unknown}.`,
      "Name variants of this run.",
      { run, variant: unknown },
    );
  }
  if (named) return new Set(named.filter((id) => status.get(id) !== "done"));
  return new Set(
    results.flatMap(({ id, status }) => (status === "failed" || status === "cancelled" ? [id] : [])),
  );
}
