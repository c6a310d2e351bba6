import { cancelledError, toErrorData } from "#shared/errors.ts";
import { needsSuperWeights } from "#shared/recipe.ts";
import type { VariantResult } from "#shared/run.ts";
import type { VariantOutcome } from "#worker/protocol/task.ts";
import type { JobContext } from "../jobs/jobs.ts";
import type { ModelShape, WorkSize } from "../models/sizing.ts";
import type { CacheStore } from "../store/cacheStore.ts";
import type { RunStore } from "../store/runStore.ts";
import { waitingAgain } from "../store/variantRows.ts";
import type { Executor, Prepared, Preparing, RunSpec } from "./executor.ts";
import { Lanes } from "./lanes.ts";
import { SweepStages } from "./stages.ts";
import type { SweepReporter } from "./reporter.ts";
import type { RunClock } from "./runClock.ts";
import { Twins } from "./twins.ts";
import { diedTwice, WaveQueue } from "./waveQueue.ts";

/** What one execution of a run needs. */
export interface SweepPlan {
  readonly run: string;
  readonly spec: Omit<RunSpec, "variants">;
  readonly shape: ModelShape;
  /** In the order to run them; only those that are not done. */
  readonly variants: readonly VariantResult[];
  readonly size: WorkSize;
}

export interface SweepTools {
  readonly runs: RunStore;
  readonly kept: CacheStore;
  readonly executor: Executor;
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

class Sweep {
  readonly #plan: SweepPlan;
  readonly #tools: SweepTools;
  #queue: WaveQueue;
  #twins = new Twins([], []);
  readonly #lanes: Lanes;
  readonly #stages: SweepStages;
  /** Variants in a worker's hands. */
  readonly #inHand = new Map<string, VariantResult>();
  #over = 0;
  #failure: Error | null = null;

  constructor(plan: SweepPlan, tools: SweepTools) {
    this.#plan = plan;
    this.#tools = tools;
    this.#queue = this.#queueOf(plan.variants);
    this.#lanes = new Lanes(tools.executor.workers, (lanes) => tools.reporter.lanes(lanes));
    const detects = plan.variants.some((variant) => needsSuperWeights(variant.recipe));
    this.#stages = new SweepStages(plan.variants.length, detects);
  }

  async run(): Promise<void> {
    const { runs, reporter, executor, job } = this.#tools;
    const { run, size, variants } = this.#plan;
    const nothingLeft = variants.length === 0;
    // who goes on with a finished run computes nothing: how it was computed stays
    if (!nothingLeft) runs.saveFacts(run, { workers: size.workers, threads: size.threadsPerWorker });
    reporter.run(runs.setStatus(run, "running"));
    if (nothingLeft) return;
    const prepared = await executor.prepare({ ...this.#plan.spec, variants }, this.#preparing(), job.signal);
    this.#twins = new Twins(prepared.twins, variants);
    this.#queue = this.#queueOf(variants.filter(({ id }) => !this.#twins.has(id)));
    const workers = Array.from({ length: executor.workers }, (_, worker) =>
      this.#work(worker, prepared).catch((error: unknown) => this.#fail(error)),
    );
    await Promise.all(workers);
    if (this.#failure !== null) throw this.#failure;
    if (job.cancelled()) throw cancelledError();
  }

  #queueOf(variants: readonly VariantResult[]): WaveQueue {
    return new WaveQueue(variants, this.#tools.executor.workers, this.#plan.size.variantsPerWave);
  }

  /** Ends every worker's share because of something that is no variant's own failure. */
  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#tools.job.cancel();
  }

  /** Writes what became of the run. */
  end(status: "done" | "failed" | "cancelled" | "interrupted", error?: unknown): void {
    const { runs, reporter, clock } = this.#tools;
    const { run } = this.#plan;
    // What another studio has taken over is its to write.
    const ours = runs.owns(run);
    if (status !== "done" && ours) {
      const unscored = [...this.#inHand.values(), ...this.#queue.rest];
      const twins = unscored.flatMap(({ id }) => this.#twins.of(id));
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
    if (status === "failed" && ours) {
      const { code, message } = toErrorData(error);
      runs.saveFacts(run, { notes: [{ code, text: message }] });
    }
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

  #preparing(): Preparing {
    const { runs, reporter, job } = this.#tools;
    const { run } = this.#plan;
    const stages = this.#stages;
    return {
      progress: (stage, fraction) =>
        job.progress(stage === "original" ? stages.original(fraction) : stages.detecting(fraction)),
      superWeights: (found) => {
        runs.saveFacts(run, { superWeights: found });
        if (found.length === 0)
          runs.saveFacts(run, {
            notes: [
              {
                code: "restore/no-super-weight",
                text: "No super weight was found in this model: recipes that restore super weights restore nothing, and there is no super activation to keep.",
              },
            ],
          });
      },
      original: ({ scores, convention, device }) => {
        runs.saveFacts(run, { baseline: scores, convention, device });
        reporter.baseline(scores);
      },
    };
  }

  /** One worker's share: wave after wave until none is left. */
  async #work(worker: number, prepared: Prepared): Promise<void> {
    for (;;) {
      if (this.#tools.job.cancelled()) return;
      const wave = this.#queue.next();
      if (wave.length === 0) {
        // Another worker may still die and leave variants behind; then whoever is free takes them.
        if (this.#inHand.size === 0) return;
        await this.#waveOver();
        continue;
      }
      await this.#runWave(worker, wave, prepared);
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

  async #runWave(worker: number, wave: readonly VariantResult[], prepared: Prepared): Promise<void> {
    const { runs, executor, job, clock, reporter } = this.#tools;
    const lease = runs.lease(this.#plan.run, worker, wave, clock.milliseconds());
    for (const variant of lease.variants) this.#inHand.set(variant.id, variant);
    reporter.variants(lease.variants);
    const lane = this.#lanes.begin(worker, lease.variants, prepared.tokens);
    const heard = {
      variant: (outcome: VariantOutcome) => this.#finish(outcome),
      progress: (fraction: number) => {
        lane.progress(fraction);
        this.#tellProgress();
      },
    };
    try {
      await executor.score(lease, heard, job.signal);
      this.#measure(lane.seconds(), wave.length, prepared);
    } catch (error) {
      this.#waveFailed(lease.variants, error);
    } finally {
      lane.end();
      this.#tellProgress();
    }
  }

  /** Speed for later estimates: multiply-adds per second of one worker. */
  #measure(seconds: number, variants: number, { device, tokens }: Prepared): void {
    const { shape, size } = this.#plan;
    if (seconds > 0)
      this.#tools.kept.saveRate(
        device,
        size.threadsPerWorker,
        (variants * tokens * shape.linearWeights) / seconds,
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
    const again = this.#tools.runs.release(
      this.#plan.run,
      unfinished.filter((variant) => !lost.includes(variant)),
    );
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

  #finishTwins(scored: VariantResult, outcome: VariantOutcome): void {
    const { runs, reporter } = this.#tools;
    for (const row of this.#twins.rowsOf(scored, outcome)) {
      runs.finishVariant(this.#plan.run, row, outcome.ok ? { ...outcome.detail, id: row.id } : null);
      this.#over++;
      reporter.variants([row]);
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
