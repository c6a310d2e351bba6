import { stat } from "node:fs/promises";
import type { ModelSummary } from "#shared/model.ts";
import type { Judge } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { StudioContext } from "../context/context.ts";
import { soloHandle, superWeights } from "../context/launch.ts";
import { memoryOf, modelShape, sizeSweep, type WorkSize } from "../models/sizing.ts";
import { PoolExecutor } from "./poolExecutor.ts";
import { SweepReporter } from "./reporter.ts";
import { RunClock } from "./runClock.ts";
import { runSweep } from "./sweep.ts";

/** Tokens assumed of a text whose plan does not limit them, per byte: sizes waves before anything was tokenised. */
const TOKENS_PER_BYTE = 1 / 3;
/** While no text is chosen yet. */
const DEFAULT_TOKENS = 4096;

export interface SweepStart {
  run: string;
  model: ModelSummary;
  text: string;
  calibration: string | null;
  workers: number | null;
  /** Ids of the variants to run; null = all that wait. */
  only: ReadonlySet<string> | null;
}

/** Queues the job that executes a run's waiting variants. */
export function startSweep(
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
      const size = await sizeFor(
        context,
        model,
        text,
        row.judge,
        variants.map(({ recipe }) => recipe),
        workers,
      );
      const pool = await pools.lend(size.workers);
      clock.start();
      try {
        const handle = {
          path: model.path,
          revision: model.revision,
          device: await context.devices.chosen(),
          threads: size.threadsPerWorker,
        };
        const executor = new PoolExecutor({
          pool,
          control: job.control,
          fingerprint: model.fingerprint,
          model: handle,
          solo: await soloHandle(context, model),
          ...{ text, calibration },
          superWeights: (lent, watch) => superWeights(context, { ...job, progress: watch }, lent, model),
        });
        const spec = {
          fingerprint: row.fingerprint,
          textHash: row.text_hash,
          calibrationHash: row.calibration_hash,
          judge: row.judge,
        };
        return await runSweep(
          { run, spec, shape, variants, size },
          { runs, kept, executor, reporter, clock, job, closing: () => context.closing() },
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
