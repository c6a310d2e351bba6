import { existsSync } from "node:fs";
import { MessageChannel } from "node:worker_threads";
import { Piscina } from "piscina";
import { cancelledError, KeystoneError } from "#shared/errors.ts";
import { createGate, leaveGate, shutGate, type NativeGate } from "#engine/forward/runtime/nativeGate.ts";
import { isCancelled, type Control } from "#worker/protocol/control.ts";
import type { TaskFields, TaskKind, TaskMessage, TaskReply, TaskResult } from "#worker/protocol/task.ts";

export interface PoolOptions {
  workerFile: string;
  workers: number;
}

export interface RunOptions {
  control: Control;
  onMessage?: (message: TaskMessage) => void;
  /** Ends the task's thread: the last resort when a task does not heed its control. */
  signal?: AbortSignal;
}

/** Threads without work end after this long, in milliseconds, and give their memory back. */
const IDLE_MS = 60_000;

/** Worker threads, each doing one task at a time. A thread that dies is replaced with the next task. */
export class WorkerPool {
  readonly workers: number;
  readonly #workerFile: string;
  readonly #piscina: Piscina;
  /** Ends what waits for a thread where none can be started. */
  #start = new AbortController();
  /** Of the tasks under way: a thread is ended only when its gate is shut. */
  readonly #gates = new Set<NativeGate>();

  constructor({ workerFile, workers }: PoolOptions) {
    this.workers = workers;
    this.#workerFile = workerFile;
    this.#piscina = new Piscina({
      filename: workerFile,
      minThreads: 0,
      maxThreads: workers,
      idleTimeout: IDLE_MS,
      // Tasks last seconds: waking a thread through Atomics gains nothing and would block its event loop between them.
      atomics: "disabled",
      execArgv: [],
    });
    // A thread that dies without a task at hand is nobody's failure while another one works: the next task starts another.
    this.#piscina.on("error", (cause: unknown) => {
      if (this.#piscina.threads.length === 0) this.#refuseWaiting(cause);
    });
  }

  get idle(): boolean {
    return this.#gates.size === 0;
  }

  /**
   * Runs one task in a thread of its own; resolves when everything it told on the way has been heard.
   * @throws KeystoneError worker/died when the thread ended before the task did, worker/not-started where no thread could be
   *   started; otherwise what the task threw
   */
  async run<K extends TaskKind>(
    kind: K,
    fields: TaskFields<K>,
    { control, onMessage, signal }: RunOptions,
  ): Promise<TaskResult<K>> {
    if (isCancelled(control)) throw cancelledError();
    const { port1, port2 } = new MessageChannel();
    const heard = new Promise<void>((resolve) => {
      port1.once("close", resolve);
      port1.on("message", (message: TaskMessage) => {
        if (message.type === "end") resolve();
        else onMessage?.(message);
      });
    });
    const gate = createGate();
    this.#gates.add(gate);
    try {
      const task = { ...fields, kind, control, gate, port: port2 };
      const reply = await this.#send<K>(task, port2, control, endBehind(gate, signal));
      await heard;
      if (reply.ok) return reply.value;
      throw KeystoneError.fromData(reply.error);
    } finally {
      this.#gates.delete(gate);
      // A thread that died inside a call never leaves the gate itself.
      leaveGate(gate);
      port1.close();
    }
  }

  async #send<K extends TaskKind>(
    task: object,
    port: MessageChannel["port2"],
    control: Control,
    signal?: AbortSignal,
  ): Promise<TaskReply<K>> {
    const start = this.#start.signal;
    try {
      return (await this.#piscina.run(task, {
        transferList: [port],
        signal: signal ? AbortSignal.any([signal, start]) : start,
      })) as TaskReply<K>;
    } catch (error) {
      port.close();
      if (start.aborted) throw start.reason;
      if (isCancelled(control) || signal?.aborted) throw cancelledError();
      const reason = error instanceof Error ? error.message : String(error);
      throw new KeystoneError(
        "worker/died",
        `The worker ended in the middle of its task: ${reason}.`,
        "Try again; if it stays, lower the number of workers or the memory limit in the settings.",
        { reason },
      );
    }
  }

  /** Tasks that wait for a thread fail with what kept the last one from starting; later tasks try again. */
  #refuseWaiting(cause: unknown): void {
    const waiting = this.#start;
    this.#start = new AbortController();
    waiting.abort(notStarted(this.#workerFile, cause));
  }

  /** Ends the threads, each as soon as it is in no call of the runtime. Steer tasks to their end first. */
  async close(): Promise<void> {
    await Promise.all([...this.#gates].map(shutGate));
    await this.#piscina.destroy();
  }
}

function notStarted(file: string, cause: unknown): KeystoneError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const problem = existsSync(file)
    ? `could not be loaded from ${file}: ${reason}`
    : `should be in ${file}, and that file does not exist`;
  return new KeystoneError(
    "worker/not-started",
    `The worker's program ${problem}.`,
    "Install Keystone again; from its source, run npm ci and npm run build.",
    { file, reason },
    { cause },
  );
}

/** A signal that follows another one, once the gate is shut. */
function endBehind(gate: NativeGate, signal: AbortSignal | undefined): AbortSignal | undefined {
  if (!signal) return undefined;
  const end = new AbortController();
  const follow = (): void => void shutGate(gate).then(() => end.abort());
  if (signal.aborted) follow();
  else signal.addEventListener("abort", follow, { once: true });
  return end.signal;
}

/** Lends pools and keeps the last one for the next job of its size, with its threads and the models they hold open. */
export class PoolKeeper {
  readonly #workerFile: string;
  readonly #pools = new Set<WorkerPool>();
  readonly #lent = new Set<WorkerPool>();

  constructor(workerFile: string) {
    this.#workerFile = workerFile;
  }

  /** A pool of exactly `workers` threads, for one job. Spare pools of another size end. */
  async lend(workers: number): Promise<WorkerPool> {
    const spare = [...this.#pools].filter((pool) => !this.#lent.has(pool));
    const fitting = spare.find((pool) => pool.workers === workers);
    const pool = fitting ?? new WorkerPool({ workerFile: this.#workerFile, workers });
    this.#pools.add(pool);
    this.#lent.add(pool);
    await Promise.all(spare.filter((other) => other !== pool).map((other) => this.#end(other)));
    return pool;
  }

  giveBack(pool: WorkerPool): void {
    this.#lent.delete(pool);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => this.#end(pool)));
  }

  async #end(pool: WorkerPool): Promise<void> {
    this.#pools.delete(pool);
    this.#lent.delete(pool);
    await pool.close();
  }
}
