import { cancelledError, KeystoneError, toErrorData } from "#shared/errors.ts";
import type { Work } from "#shared/job.ts";
import { needsCalibration, needsSuperWeights, type Coordinate } from "#shared/recipe.ts";
import type { VariantResult } from "#shared/run.ts";
import { cancel, isCancelled } from "#worker/control.ts";
import type {
  Baseline,
  ModelHandle,
  TaskFields,
  TaskKind,
  TaskMessage,
  TaskResult,
  Twin,
  VariantOutcome,
} from "#worker/task.ts";
import type { JobContext } from "../jobs.ts";
import type { WorkerPool } from "../pool.ts";
import type { ModelShape, WorkSize } from "../sizing.ts";
import type { CacheStore } from "../store/cacheStore.ts";
import type { RunStore } from "../store/runStore.ts";
import { waitingAgain } from "../store/runStore.ts";
import { Lanes } from "./lanes.ts";
import { SweepStages } from "./stages.ts";
import type { SweepReporter } from "./reporter.ts";
import type { RunClock } from "./runClock.ts";
import { WaveQueue } from "./waveQueue.ts";

/** What one execution of a run needs. */
export interface SweepPlan {
  readonly run: string;
  readonly model: ModelHandle;
  /** The same for what one worker does while the others wait: with all cores. */
  readonly solo: ModelHandle;
  readonly shape: ModelShape;
  readonly text: string;
  /** Where SmoothQuant's scales are chosen; null where no recipe of the run has any. */
  readonly calibration: string | null;
  /** In the order to run them; only those that are not done. */
  readonly variants: readonly VariantResult[];
  readonly size: WorkSize;
  /** Finds the super weights, or reads them from the cache. Called only where a recipe asks for them. */
  readonly superWeights: (pool: WorkerPool, watch: (work: Work) => void) => Promise<readonly Coordinate[]>;
}

export interface SweepTools {
  readonly runs: RunStore;
  readonly kept: CacheStore;
  readonly pool: WorkerPool;
  readonly reporter: SweepReporter;
  readonly clock: RunClock;
  readonly job: JobContext;
  /** True while the studio closes: what is left is interrupted, not cancelled. */
  readonly closing: () => boolean;
}

/**
 * Executes a run: super weights, the original, then wave after wave on every worker. A variant that fails is a row with
 * its reason and the sweep goes on. Ends with the run's status written, whatever happens.
 * @throws KeystoneError job/cancelled, or what kept the sweep from running at all
 */
export async function runSweep(plan: SweepPlan, tools: SweepTools): Promise<{ run: string }> {
  const sweep = new Sweep(plan, tools);
  try {
    await sweep.run();
    sweep.end("done");
  } catch (error) {
    const cancelled = toErrorData(error).code === "job/cancelled";
    sweep.end(!cancelled ? "failed" : tools.closing() ? "interrupted" : "cancelled", error);
    throw error;
  }
  return { run: plan.run };
}

/** A variant that waits for the scores of the one that makes its weights. */
type WaitingTwin = Twin & { readonly variant: VariantResult };

class Sweep {
  readonly #plan: SweepPlan;
  readonly #tools: SweepTools;
  #queue: WaveQueue;
  /** Variants that make the weights of another, by that one's id; they take its scores. */
  #twins: ReadonlyMap<string, readonly WaitingTwin[]> = new Map();
  readonly #lanes: Lanes;
  readonly #stages: SweepStages;
  /** Variants in a worker's hands. */
  readonly #inHand = new Map<string, VariantResult>();
  #over = 0;
  #failure: Error | null = null;

  constructor(plan: SweepPlan, tools: SweepTools) {
    this.#plan = plan;
    this.#tools = tools;
    this.#queue = new WaveQueue(plan.variants, plan.size.workers, plan.size.variantsPerWave);
    this.#lanes = new Lanes(plan.size.workers, (lanes) => tools.reporter.lanes(lanes));
    const detects = plan.variants.some((variant) => needsSuperWeights(variant.recipe));
    this.#stages = new SweepStages(plan.variants.length, detects);
  }

  async run(): Promise<void> {
    const { runs, reporter } = this.#tools;
    const { run, size } = this.#plan;
    const nothingLeft = this.#plan.variants.length === 0;
    // who goes on with a finished run computes nothing: how it was computed stays
    if (!nothingLeft) runs.saveFacts(run, { workers: size.workers, threads: size.threadsPerWorker });
    reporter.run(runs.setStatus(run, "running"));
    if (nothingLeft) return;
    const superWeights = await this.#findSuperWeights();
    const baseline = await this.#scoreOriginal();
    await this.#findTwins(superWeights);
    const workers = Array.from({ length: size.workers }, (_, worker) =>
      this.#work(worker, baseline, superWeights).catch((error: unknown) => this.#fail(error)),
    );
    await Promise.all(workers);
    if (this.#failure !== null) throw this.#failure;
    if (isCancelled(this.#tools.job.control)) throw cancelledError();
  }

  /** Variants that make the same weights as another are not computed again. */
  async #findTwins(superWeights: readonly Coordinate[]): Promise<void> {
    const { variants, solo, size } = this.#plan;
    if (variants.length < 2) return;
    const requests = variants.map(({ id, recipe }) => ({ id, recipe, superWeights }));
    const found = await this.#twice("same", { model: solo, variants: requests }, () => undefined);
    const waiting = new Map(variants.map((variant) => [variant.id, variant]));
    const twins = found.flatMap((twin): WaitingTwin[] => {
      const variant = waiting.get(twin.id);
      return variant ? [{ ...twin, variant }] : [];
    });
    if (twins.length === 0) return;
    this.#twins = Map.groupBy(twins, ({ sameAs }) => sameAs);
    const ids = new Set(twins.map(({ id }) => id));
    this.#queue = new WaveQueue(
      variants.filter(({ id }) => !ids.has(id)),
      size.workers,
      size.variantsPerWave,
    );
  }

  /** Ends every worker's share because of something that is no variant's own failure. */
  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    cancel(this.#tools.job.control);
  }

  /** Writes what became of the run. */
  end(status: "done" | "failed" | "cancelled" | "interrupted", error?: unknown): void {
    const { runs, reporter, clock } = this.#tools;
    const { run } = this.#plan;
    // What another studio has taken over is its to write.
    const ours = runs.owns(run);
    if (status !== "done" && ours) {
      const unscored = [...this.#inHand.values(), ...this.#queue.rest];
      const twins = unscored.flatMap(({ id }) => this.#twins.get(id) ?? []).map(({ variant }) => variant);
      const left = [...unscored, ...twins].map((variant): VariantResult => {
        // It was the person who stopped it: the attempt does not count against the variant.
        const attempts = this.#inHand.has(variant.id) ? variant.attempts - 1 : variant.attempts;
        return {
          ...waitingAgain(variant),
          attempts,
          status: status === "cancelled" ? "cancelled" : "waiting",
        };
      });
      runs.saveVariants(run, left);
      reporter.variants(left);
    }
    if (status === "failed" && ours) runs.saveFacts(run, { notes: [toErrorData(error).message] });
    this.#lanes.clear();
    reporter.flush();
    reporter.run(runs.setStatus(run, status === "done" ? this.#outcome() : status, clock.seconds()));
  }

  /** A retry of a few variants does not complete a run of which others were cancelled or never scored. */
  #outcome(): "done" | "cancelled" | "interrupted" {
    const left = new Set(this.#tools.runs.results(this.#plan.run).map(({ status }) => status));
    if (left.has("cancelled")) return "cancelled";
    return left.has("waiting") ? "interrupted" : "done";
  }

  async #findSuperWeights(): Promise<readonly Coordinate[]> {
    if (!this.#plan.variants.some((variant) => needsSuperWeights(variant.recipe))) return [];
    const job = this.#tools.job;
    job.progress(this.#stages.detecting(0));
    const found = await this.#plan.superWeights(this.#tools.pool, ({ done, total }) =>
      job.progress(this.#stages.detecting(done / total)),
    );
    job.progress(this.#stages.detecting(1));
    this.#tools.runs.saveFacts(this.#plan.run, { superWeights: found });
    if (found.length === 0) {
      this.#tools.runs.saveFacts(this.#plan.run, {
        notes: [
          "No super weight was found in this model: recipes that restore super weights restore nothing, and there is no super activation to keep.",
        ],
      });
    }
    return found;
  }

  async #scoreOriginal(): Promise<Baseline> {
    const { runs, reporter, job } = this.#tools;
    const { run, solo, text, calibration, variants } = this.#plan;
    job.progress(this.#stages.original(0));
    const judge = runs.row(run).judge;
    const calibrates = calibration !== null && variants.some(({ recipe }) => needsCalibration(recipe));
    const fields = {
      ...{ model: solo, text, judge },
      calibration: calibrates ? { text: calibration, judge } : null,
    };
    const baseline = await this.#twice("baseline", fields, (message) => {
      if (message.type === "progress")
        job.progress(this.#stages.original(message.progress.done / message.progress.total));
    });
    const { scores } = baseline.original;
    runs.saveFacts(run, {
      baseline: scores,
      convention: baseline.windows.convention,
      device: baseline.device.used,
    });
    reporter.baseline(scores);
    return baseline;
  }

  /** A task on which everything else stands gets a second worker when its first one dies. */
  async #twice<K extends TaskKind>(
    kind: K,
    fields: TaskFields<K>,
    onMessage: (message: TaskMessage) => void,
  ): Promise<TaskResult<K>> {
    const options = { control: this.#tools.job.control, signal: this.#tools.job.signal, onMessage };
    try {
      return await this.#tools.pool.run(kind, fields, options);
    } catch (error) {
      if (toErrorData(error).code !== "worker/died") throw error;
      return await this.#tools.pool.run(kind, fields, options);
    }
  }

  /** One worker's share: wave after wave until none is left. */
  async #work(worker: number, baseline: Baseline, superWeights: readonly Coordinate[]): Promise<void> {
    for (;;) {
      if (isCancelled(this.#tools.job.control)) return;
      const wave = this.#queue.next();
      if (wave.length === 0) {
        // Another worker may still die and leave variants behind; then whoever is free takes them.
        if (this.#inHand.size === 0) return;
        await this.#waveOver();
        continue;
      }
      await this.#runWave(worker, wave, baseline, superWeights);
      this.#wakeIdle();
    }
  }

  readonly #idle = new Set<() => void>();

  #waveOver(): Promise<void> {
    return new Promise((resolve) => this.#idle.add(resolve));
  }

  #wakeIdle(): void {
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  async #runWave(
    worker: number,
    wave: readonly VariantResult[],
    baseline: Baseline,
    superWeights: readonly Coordinate[],
  ): Promise<void> {
    const { runs, pool, job, clock } = this.#tools;
    const started = wave.map((variant): VariantResult => ({
      ...variant,
      status: "running",
      worker,
      startedAt: clock.milliseconds(),
    }));
    for (const variant of started) this.#inHand.set(variant.id, variant);
    runs.saveVariants(this.#plan.run, started);
    this.#tools.reporter.variants(started);
    const lane = this.#lanes.begin(worker, started, baseline.windows.scored);
    const variants = wave.map(({ id, recipe }) => ({ id, recipe, superWeights }));
    try {
      await pool.run(
        "wave",
        { model: this.#plan.model, baseline, variants },
        {
          control: job.control,
          signal: job.signal,
          onMessage: (message) => {
            if (message.type === "variant") this.#finish(message.outcome);
            else if (message.type === "progress") {
              lane.progress(message.progress.done / message.progress.total);
              this.#tellProgress();
            }
          },
        },
      );
      this.#measure(lane.seconds(), wave.length, baseline);
    } catch (error) {
      this.#waveFailed(started, error);
    } finally {
      lane.end();
      this.#tellProgress();
    }
  }

  /** Speed for later estimates: multiply-adds per second of one worker. */
  #measure(seconds: number, variants: number, baseline: Baseline): void {
    const { shape, size } = this.#plan;
    if (seconds > 0)
      this.#tools.kept.saveRate(
        baseline.device.used,
        size.threadsPerWorker,
        (variants * baseline.windows.scored * shape.linearWeights) / seconds,
      );
  }

  #waveFailed(wave: readonly VariantResult[], error: unknown): void {
    const data = toErrorData(error);
    if (data.code === "job/cancelled") return;
    const unfinished = wave.filter((variant) => this.#inHand.has(variant.id));
    if (data.code !== "worker/died") {
      for (const variant of unfinished) this.#finish({ ok: false, id: variant.id, error: data });
      return;
    }
    for (const variant of unfinished) this.#inHand.delete(variant.id);
    const lost = this.#queue.died(unfinished, wave.length === 1);
    const again = unfinished.filter((variant) => !lost.includes(variant)).map(waitingAgain);
    this.#tools.runs.saveVariants(this.#plan.run, again);
    this.#tools.reporter.variants(again);
    for (const variant of lost) {
      this.#inHand.set(variant.id, variant);
      this.#finish({ ok: false, id: variant.id, error: diedTwice(variant, data.message) });
    }
  }

  #finish(outcome: VariantOutcome): void {
    const begun = this.#inHand.get(outcome.id);
    if (!begun) return;
    const { runs, reporter, clock } = this.#tools;
    const result: VariantResult = {
      ...begun,
      finishedAt: clock.milliseconds(),
      ...(outcome.ok
        ? { ...outcome.scores, status: "done" as const }
        : { status: "failed" as const, error: outcome.error }),
    };
    try {
      runs.finishVariant(this.#plan.run, result, outcome.ok ? outcome.detail : null);
      this.#finishTwins(result, outcome);
    } catch (error) {
      // Taken over by another studio, or the disk is full: what cannot be kept is not worth computing.
      this.#fail(error);
      return;
    }
    this.#inHand.delete(outcome.id);
    this.#over++;
    reporter.variants([result]);
    reporter.runLater(() =>
      runs.setStatus(this.#plan.run, clock.paused ? "paused" : "running", clock.seconds()),
    );
  }

  /** What makes the same weights has the same scores, at its own bits per weight; or the same reason why it has none. */
  #finishTwins(scored: VariantResult, outcome: VariantOutcome): void {
    const { runs, reporter } = this.#tools;
    for (const { variant, bitsPerWeight, fileBitsPerWeight } of this.#twins.get(scored.id) ?? []) {
      const { id, index, recipe, label } = variant;
      const own = { id, index, recipe, label, sameAs: scored.id };
      const bits = outcome.ok ? { bitsPerWeight, fileBitsPerWeight, seconds: 0 } : {};
      const result: VariantResult = {
        ...scored,
        ...bits,
        ...own,
        worker: null,
        startedAt: null,
        finishedAt: null,
      };
      runs.finishVariant(this.#plan.run, result, outcome.ok ? { ...outcome.detail, id } : null);
      this.#over++;
      reporter.variants([result]);
    }
  }

  /** Variants done, with the share of those in hand. */
  #done(): number {
    const inHand = this.#lanes.progressOf((id) => this.#inHand.has(id));
    return Math.min(this.#plan.variants.length, this.#over + inHand);
  }

  #tellProgress(): void {
    this.#tools.job.progress(this.#stages.variants(this.#done(), this.#over));
  }
}

function diedTwice(variant: VariantResult, message: string): ReturnType<KeystoneError["toData"]> {
  return new KeystoneError(
    "worker/died-twice",
    `Two workers ended while they scored this variant. The last one: ${message}`,
    "Look at the recipe and at the memory it needs; then retry the variant.",
    { variant: variant.id },
  ).toData();
}
