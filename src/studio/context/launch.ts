import { detectOptions, type DetectOptions, type DetectReport } from "#shared/detection.ts";
import { KeystoneError } from "#shared/errors.ts";
import { SWEEP_STAGES } from "#shared/contract/job.ts";
import type { LabReport } from "#shared/lab/index.ts";
import type { ModelSummary } from "#shared/model.ts";
import type { Judge } from "#shared/plan.ts";
import { needsSuperWeights, type Coordinate, type Recipe, coordinateOf } from "#shared/recipe.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import type { ModelHandle, TaskFields, TaskKind, TaskResult, VariantRequest } from "#worker/protocol/task.ts";
import type { StudioContext } from "./context.ts";
import type { JobContext } from "../jobs/jobs.ts";
import { LabReporter } from "../jobs/labReporter.ts";
import type { WorkerPool } from "../jobs/pool.ts";
import { soloThreads } from "../models/sizing.ts";
import { summarizeModel } from "./summarizeModel.ts";

/**
 * A checkpoint that can be run, and the folder the caller may read it in.
 * @throws KeystoneError access/outside, checkpoint/…, architecture/unsupported
 */
export async function runnableModel(context: StudioContext, path: string): Promise<ModelSummary> {
  const model = await summarizeModel(context.access.check(path));
  if (model.unsupported !== null) {
    throw new KeystoneError(
      "architecture/unsupported",
      model.unsupported,
      "The checkpoint can be inspected, but not run.",
      { model: model.path },
    );
  }
  return model;
}

/**
 * A checkpoint whose tensors can be written: one that can be run, or one whose model type is not known.
 * @throws KeystoneError as {@link runnableModel}
 */
export async function exportableModel(context: StudioContext, path: string): Promise<ModelSummary> {
  const model = await summarizeModel(context.access.check(path));
  return model.unknown === null ? runnableModel(context, path) : model;
}

/** How a job that runs in one worker opens the model: with all cores. */
export async function soloHandle(context: StudioContext, model: ModelSummary): Promise<ModelHandle> {
  const threads = soloThreads(context.machine(), context.settings());
  return {
    path: model.path,
    revision: model.revision,
    device: await context.devices.chosen(),
    threads,
  };
}

/** Runs one task of a job in a pool of one worker, with its progress. */
export async function soloTask<K extends TaskKind>(
  context: StudioContext,
  job: JobContext,
  kind: K,
  fields: (pool: WorkerPool) => Promise<TaskFields<K>>,
): Promise<TaskResult<K>> {
  const pool = await context.pools.lend(1);
  try {
    return await runInPool(context, job, pool, kind, await fields(pool));
  } finally {
    context.pools.giveBack(pool);
  }
}

/** One task in a pool that the job already has. @param onLabReport hears what an experiment knows so far */
export async function runInPool<K extends TaskKind>(
  context: StudioContext,
  job: JobContext,
  pool: WorkerPool,
  kind: K,
  fields: TaskFields<K>,
  onLabReport?: (report: LabReport) => void,
): Promise<TaskResult<K>> {
  const lab = new LabReporter(context.events, job.id);
  try {
    return await pool.run(kind, fields, {
      control: job.control,
      signal: job.signal,
      onMessage: (message) => {
        if (message.type === "progress") job.progress(message.progress);
        if (message.type === "detect-pass")
          context.events.emit({ type: "detect-pass", job: job.id, pass: message.pass });
        if (message.type === "detect-preview")
          context.events.emit({ type: "detect-preview", job: job.id, preview: message.preview });
        if (message.type === "lab-report") {
          onLabReport?.(message.report);
          lab.report(message.report);
        }
        if (message.type === "generated") {
          job.keep(message.report);
          context.events.emit({ type: "generated", job: job.id, report: message.report });
        }
      },
    });
  } finally {
    lab.flush();
  }
}

export const DEFAULT_DETECTION: DetectOptions = detectOptions.parse({});

/** The super weights of a model: from the cache, else searched now, with the default options. */
export async function superWeights(
  context: StudioContext,
  job: JobContext,
  pool: WorkerPool,
  model: ModelSummary,
): Promise<readonly Coordinate[]> {
  const kept = context.kept.detection(model.revision, DEFAULT_DETECTION);
  const report = kept ?? (await search(context, asPreparation(job), pool, model, DEFAULT_DETECTION, null));
  return report.superWeights.map(coordinateOf);
}

/** A search that something else waits for says so: its progress is not that of the work that was asked for. */
function asPreparation(job: JobContext): JobContext {
  const progress: JobContext["progress"] = (work) =>
    job.progress({
      ...work,
      phase: `finding the super weights: ${work.phase}`,
      stage: SWEEP_STAGES.detecting,
    });
  return { ...job, progress };
}

/**
 * Searches for super weights and keeps the report. Who asks for a search gets one, on the device of now;
 * only what needs the coordinates alone reads the kept report.
 */
export async function search(
  context: StudioContext,
  job: JobContext,
  pool: WorkerPool,
  model: ModelSummary,
  options: DetectOptions,
  effect: { text: string; judge: Judge } | null,
): Promise<DetectReport> {
  const report = await runInPool(context, job, pool, "detect", {
    model: await soloHandle(context, model),
    options,
    effect,
  });
  context.kept.saveDetection(report);
  context.events.emit({ type: "recent-models" });
  return report;
}

/** Recipes as a worker needs them; super weights are looked up only where a recipe speaks of them. */
export async function variantRequests(
  context: StudioContext,
  job: JobContext,
  pool: WorkerPool,
  model: ModelSummary,
  recipes: readonly Recipe[],
): Promise<VariantRequest[]> {
  const needed = recipes.some(needsSuperWeights);
  const found = needed ? await superWeights(context, job, pool, model) : [];
  return recipes.map((recipe) => ({ id: recipeId(recipe), recipe, superWeights: found }));
}
