import { randomUUID } from "node:crypto";
import { cancelledError, KeystoneError, toErrorData } from "#shared/errors.ts";
import type { JobKind, JobStatus, JobView, Progress, Work } from "#shared/contract/job.ts";
import type { ExperimentName } from "#shared/lab/index.ts";
import { cancel, createControl, goOn, isCancelled, pause, type Control } from "#worker/protocol/control.ts";
import type { EventStream } from "./eventStream.ts";
import { ProgressMeter } from "./progressMeter.ts";
import { throttle, type Throttled } from "./throttle.ts";
import { Turns } from "./turns.ts";

/** How many ended jobs are remembered with their results. */
const KEPT_JOBS = 200;
/** Progress of one job is told at most this often. */
const PROGRESS_MS = 100;
/** How long a cancelled job may take to heed before its threads are ended. */
const GRACE_MS = 5_000;

/** What a job's work is given. */
export interface JobContext {
  readonly id: string;
  readonly control: Control;
  /** Aborted when a cancelled job does not end by itself: its threads go. */
  readonly signal: AbortSignal;
  /** Whether it was cancelled. */
  cancelled(): boolean;
  /** Cancels it from within: what it still has in hand ends. */
  cancel(): void;
  /** Says how far it is; how fast, and how long it still takes, is the studio's to say. */
  progress(work: Work): void;
  /** What the job has made so far: its result should it be cancelled. */
  keep(soFar: unknown): void;
}

export interface JobRequest<R> {
  kind: JobKind;
  title: string;
  model: string | null;
  run?: string;
  experiment?: ExperimentName;
  work: (context: JobContext) => Promise<R>;
  /** Told when a pause begins or ends, once the job runs. */
  onPause?: (paused: boolean) => void;
  /** Always called at the end, also when the job was cancelled before it started. */
  onEnd?: (status: JobStatus) => void;
}

class Job {
  readonly id = randomUUID();
  readonly control = createControl();
  readonly abort = new AbortController();
  readonly created = new Date();
  readonly request: JobRequest<unknown>;
  readonly tell: Throttled;
  readonly meter = new ProgressMeter();
  status: JobStatus = "waiting";
  progress: Progress | null = null;
  error: JobView["error"] = null;
  result: unknown = null;
  begun = 0;
  ended = 0;

  constructor(request: JobRequest<unknown>, tell: (job: Job) => void) {
    this.request = request;
    this.tell = throttle(() => tell(this), PROGRESS_MS);
  }

  get over(): boolean {
    return this.status === "done" || this.status === "failed" || this.status === "cancelled";
  }

  /** @param turn its place in the queue: 0 = runs, null = not in it */
  view(turn: number | null): JobView {
    const { kind, title, model, run, experiment } = this.request;
    const seconds = this.begun === 0 ? 0 : ((this.ended || performance.now()) - this.begun) / 1000;
    return {
      id: this.id,
      kind,
      title,
      model,
      run: run ?? null,
      ...(experiment && { experiment }),
      status: this.status,
      ...(turn !== null && { turn }),
      progress: this.progress,
      created: this.created.toISOString(),
      seconds,
      error: this.error,
    };
  }
}

/**
 * The studio's long work, one job after the other: two passes through a large model at once would need twice the memory
 * and be no faster. A paused job lets the next one run and waits for its turn when it goes on.
 */
export class JobRegistry {
  readonly #jobs = new Map<string, Job>();
  readonly #events: EventStream;
  readonly #turns: Turns<Job>;
  readonly #work = new Set<Promise<void>>();
  #closed = false;

  constructor(events: EventStream) {
    this.#events = events;
    this.#turns = new Turns((waiting) => waiting.forEach((job) => this.#tell(job)));
  }

  /** Queues a job and returns its id. */
  start<R>(request: JobRequest<R>): string {
    if (this.#closed) throw new KeystoneError("job/closing", "Keystone is closing.", "Start it again.");
    const job = new Job(request, (it) => this.#events.emit({ type: "job", job: this.#view(it) }));
    this.#jobs.set(job.id, job);
    this.#forgetOldest();
    this.#tell(job);
    const work = this.#execute(job).finally(() => this.#work.delete(work));
    this.#work.add(work);
    return job.id;
  }

  list(): JobView[] {
    return [...this.#jobs.values()].map((job) => this.#view(job)).reverse();
  }

  /**
   * A finished job's result; of a cancelled one what it had made, where it kept that.
   * @throws KeystoneError job/not-done, or the error the job ended with
   */
  result(id: string): { kind: JobKind; result: unknown } {
    const job = this.#find(id);
    if (job.status === "cancelled" && job.result !== null)
      return { kind: job.request.kind, result: job.result };
    if (job.error) throw KeystoneError.fromData(job.error);
    if (job.status !== "done") {
      throw new KeystoneError(
        "job/not-done",
        `The job is ${job.status}; it has no result yet.`,
        "Wait until it is done.",
        { job: id, status: job.status },
      );
    }
    return { kind: job.request.kind, result: job.result };
  }

  /** @throws KeystoneError job/not-running */
  pause(id: string): void {
    const job = this.#find(id);
    if (job.status === "paused") return;
    if (job !== this.#turns.running) throw notRunning(job, "paused");
    pause(job.control);
    job.status = "paused";
    job.request.onPause?.(true);
    this.#turns.release(job);
    this.#tell(job);
  }

  /** @throws KeystoneError job/not-running */
  resume(id: string): void {
    const job = this.#find(id);
    if (job.status === "running" || (job.status === "waiting" && job.begun > 0)) return;
    if (job.status !== "paused") throw notRunning(job, "resumed");
    job.status = "waiting";
    this.#tell(job);
    void this.#turns.take(job).then(() => {
      if (job.over || isCancelled(job.control)) return;
      job.status = "running";
      job.request.onPause?.(false);
      job.meter.goOn();
      goOn(job.control);
      this.#tell(job);
    });
  }

  /**
   * Lets a job that waits run one place sooner or later.
   * @throws KeystoneError job/not-waiting
   */
  move(id: string, direction: "up" | "down"): void {
    const job = this.#find(id);
    if (this.#turns.move(job, direction)) return;
    throw new KeystoneError(
      "job/not-waiting",
      `The job is ${job.status} and has no place among those that wait.`,
      "Only a waiting job can be moved.",
      { job: id, status: job.status },
    );
  }

  cancel(id: string): void {
    const job = this.#find(id);
    if (job.over || isCancelled(job.control)) return;
    cancel(job.control);
    this.#turns.remove(job);
    setTimeout(() => job.abort.abort(), GRACE_MS).unref();
  }

  /** Cancels everything and waits until it has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#jobs.values()) this.cancel(job.id);
    await Promise.all(this.#work);
  }

  async #execute(job: Job): Promise<void> {
    await this.#turns.take(job);
    try {
      if (isCancelled(job.control)) throw cancelledError();
      job.begun = performance.now();
      job.status = "running";
      this.#tell(job);
      const progress = ({ done, total, unit, phase, stage }: Work): void => {
        const pace = job.meter.update(done, total, stage);
        job.progress = { done, total, unit, phase, ...(stage === undefined ? {} : { stage }), ...pace };
        if (!job.over) job.tell();
      };
      job.result = await job.request.work({
        id: job.id,
        control: job.control,
        signal: job.abort.signal,
        cancelled: () => isCancelled(job.control),
        cancel: () => cancel(job.control),
        progress,
        keep: (soFar) => (job.result = soFar),
      });
      job.status = "done";
    } catch (error) {
      const data = toErrorData(error);
      job.status = data.code === "job/cancelled" ? "cancelled" : "failed";
      job.error = data;
    }
    job.ended = performance.now();
    if (job.begun === 0) job.begun = job.ended;
    try {
      job.request.onEnd?.(job.status);
    } catch (error) {
      job.status = "failed";
      job.error ??= toErrorData(error);
    }
    this.#tell(job);
    this.#turns.release(job);
  }

  #tell(job: Job): void {
    job.tell.flush();
    this.#events.emit({ type: "job", job: this.#view(job) });
  }

  #view(job: Job): JobView {
    return job.view(job.over ? null : this.#turns.placeOf(job));
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job)
      throw new KeystoneError("job/unknown", `There is no job ${id}.`, "List the jobs to find its id.", {
        job: id,
      });
    return job;
  }

  #forgetOldest(): void {
    for (const [id, job] of this.#jobs) {
      if (this.#jobs.size <= KEPT_JOBS) return;
      if (job.over) this.#jobs.delete(id);
    }
  }
}

function notRunning(job: Job, what: string): KeystoneError {
  return new KeystoneError(
    "job/not-running",
    `The job is ${job.status} and cannot be ${what}.`,
    "Only a running job can be paused, only a paused one resumed.",
    { job: job.id, status: job.status },
  );
}
