import { KeystoneError, toErrorData } from "#shared/errors.ts";
import type { Work } from "#shared/contract/job.ts";
import { needsCalibration, needsSuperWeights, type Coordinate } from "#shared/recipe.ts";
import type { Control } from "#worker/protocol/control.ts";
import type {
  Baseline,
  ModelHandle,
  TaskFields,
  TaskKind,
  TaskMessage,
  TaskResult,
} from "#worker/protocol/task.ts";
import type { WorkerPool } from "../jobs/pool.ts";
import type { Lease } from "../store/leases.ts";
import type { Executor, Prepared, Preparing, RunSpec, Scoring } from "./executor.ts";

/** Where a run's files lie on this machine, and what computes. */
export interface PoolExecutorOptions {
  readonly pool: WorkerPool;
  /** Of the job that it works for: tasks pause and end by it. */
  readonly control: Control;
  readonly fingerprint: string;
  /** How each worker opens the model. */
  readonly model: ModelHandle;
  /** The same for what one worker does while the others wait: with all cores. */
  readonly solo: ModelHandle;
  readonly text: string;
  readonly calibration: string | null;
  /** Finds the super weights, or reads them from the cache. */
  readonly superWeights: (pool: WorkerPool, watch: (work: Work) => void) => Promise<readonly Coordinate[]>;
}

/** What every lease needs; its arrays lie in shared memory and stay here. */
interface Ground {
  readonly baseline: Baseline;
  readonly superWeights: readonly Coordinate[];
}

/** The threads of this process. */
export class PoolExecutor implements Executor {
  readonly workers: number;
  readonly #options: PoolExecutorOptions;
  #ground: Ground | null = null;

  constructor(options: PoolExecutorOptions) {
    this.workers = options.pool.workers;
    this.#options = options;
  }

  async prepare(spec: RunSpec, heard: Preparing, signal: AbortSignal): Promise<Prepared> {
    if (spec.fingerprint !== this.#options.fingerprint)
      throw new KeystoneError(
        "run/other-model",
        "The run was started with another model than the one that is open.",
        "Name the checkpoint it was started with.",
        { fingerprint: spec.fingerprint },
      );
    const superWeights = await this.#findSuperWeights(spec, heard);
    const baseline = await this.#scoreOriginal(spec, heard, signal);
    this.#ground = { baseline, superWeights };
    const requests = spec.variants.map(({ id, recipe }) => ({ id, recipe, superWeights }));
    const twins =
      requests.length < 2
        ? []
        : await this.#twice("same", { model: this.#options.solo, variants: requests }, signal);
    return { tokens: baseline.windows.scored, device: baseline.device.used, twins };
  }

  async score(lease: Lease, heard: Scoring, signal: AbortSignal): Promise<void> {
    if (this.#ground === null) throw new Error("A lease came before the run was prepared.");
    const { baseline, superWeights } = this.#ground;
    const { pool, control, model } = this.#options;
    const variants = lease.variants.map(({ id, recipe }) => ({ id, recipe, superWeights }));
    const onMessage = (message: TaskMessage): void => {
      if (message.type === "variant") heard.variant(message.outcome);
      else if (message.type === "progress") heard.progress(message.progress.done / message.progress.total);
    };
    await pool.run("wave", { model, baseline, variants }, { control, signal, onMessage });
  }

  async #findSuperWeights({ variants }: RunSpec, heard: Preparing): Promise<readonly Coordinate[]> {
    if (!variants.some(({ recipe }) => needsSuperWeights(recipe))) return [];
    heard.progress("super weights", 0);
    const { superWeights, pool } = this.#options;
    const found = await superWeights(pool, ({ done, total }) =>
      heard.progress("super weights", done / total),
    );
    heard.progress("super weights", 1);
    heard.superWeights(found);
    return found;
  }

  async #scoreOriginal(
    { judge, variants }: RunSpec,
    heard: Preparing,
    signal: AbortSignal,
  ): Promise<Baseline> {
    heard.progress("original", 0);
    const { solo, text, calibration } = this.#options;
    const calibrates = calibration !== null && variants.some(({ recipe }) => needsCalibration(recipe));
    const fields = {
      ...{ model: solo, text, judge },
      calibration: calibrates ? { text: calibration, judge } : null,
    };
    const baseline = await this.#twice("baseline", fields, signal, (message) => {
      if (message.type === "progress")
        heard.progress("original", message.progress.done / message.progress.total);
    });
    const { original, windows, device } = baseline;
    heard.original({ scores: original.scores, convention: windows.convention, device: device.used });
    return baseline;
  }

  /** A task on which everything else stands gets a second worker when its first one dies. */
  async #twice<K extends TaskKind>(
    kind: K,
    fields: TaskFields<K>,
    signal: AbortSignal,
    onMessage: (message: TaskMessage) => void = () => undefined,
  ): Promise<TaskResult<K>> {
    const { pool, control } = this.#options;
    const options = { control, signal, onMessage };
    try {
      return await pool.run(kind, fields, options);
    } catch (error) {
      if (toErrorData(error).code !== "worker/died") throw error;
      return await pool.run(kind, fields, options);
    }
  }
}
