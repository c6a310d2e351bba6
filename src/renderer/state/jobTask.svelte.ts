import type { Reply } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { JobView } from "#shared/contract/job.ts";
import type { Studio } from "./studio.svelte.ts";

type Results = Reply<"job:result">;
type Reports = { [R in Extract<Results, { report: unknown }> as R["kind"]]: R["report"] };
type Kind = keyof Reports;

/** One long piece of work a screen asks for: started, followed, cancelled, and its report kept. */
export class JobTask<K extends Kind> {
  readonly kind: K;
  report: Reports[K] | null = $state.raw(null);
  error: KeystoneErrorData | null = $state.raw(null);
  #job: string | null = $state(null);
  /** Asked for, and not answered yet. */
  #asked = $state(false);
  #withdrawn = false;
  readonly #studio: Studio;
  /** The job while it takes time. */
  readonly job: JobView | null = $derived.by(() =>
    this.#job === null ? null : (this.#studio.jobs.get(this.#job) ?? null),
  );
  /** The job's id while it takes time. */
  readonly id: string | null = $derived.by(() => this.#job);
  /** From the press on. */
  readonly busy: boolean = $derived.by(() => this.#asked || this.#job !== null);
  /** 0 to 1, or null while unknown. */
  readonly fraction: number | null = $derived.by(() => {
    const progress = this.job?.progress;
    return progress && progress.total > 0 ? progress.done / progress.total : null;
  });

  constructor(studio: Studio, kind: K) {
    this.#studio = studio;
    this.kind = kind;
  }

  /**
   * Starts a job and waits for its report; what goes wrong is kept in `error`. A cancelled one leaves no error, and what it had
   * made where the studio kept that.
   */
  async run(start: () => Promise<{ job: string }>): Promise<Reports[K] | null> {
    this.error = null;
    this.#asked = true;
    this.#withdrawn = false;
    try {
      const { job } = await start();
      this.#job = job;
      this.#asked = false;
      if (this.#withdrawn) await this.cancel();
      const cancelled = await this.#ended(job);
      const report = await this.#reportOf(job, cancelled);
      if (report) this.report = report;
      return cancelled ? null : report;
    } catch (thrown) {
      this.error = toErrorData(thrown);
      return null;
    } finally {
      this.#asked = false;
      this.#job = null;
    }
  }

  /** Waits for the job's end; true where it was cancelled. */
  async #ended(job: string): Promise<boolean> {
    try {
      await this.#studio.finished(job);
      return false;
    } catch (thrown) {
      if (toErrorData(thrown).code === "job/cancelled") return true;
      throw thrown;
    }
  }

  /** Null where a cancelled job kept nothing. */
  async #reportOf(job: string, cancelled: boolean): Promise<Reports[K] | null> {
    try {
      const result = await this.#studio.host.call("job:result", { job });
      if (result.kind !== this.kind || !("report" in result))
        throw new Error(`The job answered with a ${result.kind}.`);
      return result.report as Reports[K];
    } catch (thrown) {
      if (cancelled) return null;
      throw thrown;
    }
  }

  async cancel(): Promise<void> {
    // What is not answered yet is cancelled once it is.
    this.#withdrawn = true;
    if (this.#job === null) return;
    try {
      await this.#studio.host.call("job:cancel", { job: this.#job });
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
  }
}
