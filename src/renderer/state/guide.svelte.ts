import { agreementOf } from "#shared/verification.ts";
import type { RunSummary } from "#shared/run.ts";
import type { Studio } from "./studio.svelte.ts";
import { keepRecord, NOTHING_DONE, readRecord, type GuideRecord, type ModelRecord } from "../guide/record.ts";
import { FEWEST_SCORED, type GuideFacts } from "../guide/steps.ts";

/** The first steps with Keystone: whether they are shown, and what of them is done with the model that is open. */
export class Guide {
  readonly #studio: Studio;
  #record: GuideRecord | null = $state.raw(readRecord());
  /** Export jobs whose result was asked for. */
  #read: readonly string[] = [];
  /** Nothing was ever opened here: the steps are shown on Home until something is. */
  readonly offered: boolean = $derived.by(
    () =>
      this.#record === null &&
      this.#studio.ready &&
      this.#studio.recent.length === 0 &&
      this.#studio.runs.length === 0,
  );
  readonly shown: boolean = $derived.by(() => this.#record?.shown ?? false);
  readonly run: RunSummary | null = $derived.by(() => this.#runOf());
  readonly facts: GuideFacts = $derived.by(() => this.#factsOf());

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  /** Shows the steps on every screen. */
  begin(): void {
    this.#keep({ models: {}, ...this.#record, shown: true });
  }

  dismiss(): void {
    this.#keep({ models: {}, ...this.#record, shown: false });
  }

  /** The Compare screen shows variants of the open model. */
  compared(variants: number): void {
    if (variants >= FEWEST_SCORED && !this.#done().compared) this.#note({ compared: true });
  }

  /** Takes note of exports of the open model that are done; to be called whenever jobs change. */
  async takeExports(): Promise<void> {
    const { model, jobs, host } = this.#studio;
    const ended = [...jobs.values()].filter(
      (job) =>
        job.kind === "export" &&
        job.status === "done" &&
        job.model === model?.path &&
        !this.#read.includes(job.id),
    );
    for (const { id } of ended) {
      this.#read = [...this.#read, id];
      const result = await host.call("job:result", { job: id }).catch(() => null);
      if (result?.kind !== "export" || this.#studio.model !== model) continue;
      const { out, verified } = result.report;
      this.#note({ exported: out, verified: verified !== null && agreementOf(verified) === "same" });
    }
  }

  #runOf(): RunSummary | null {
    const { model, runs } = this.#studio;
    if (!model) return null;
    const own = runs.filter(({ fingerprint, model: path }) =>
      fingerprint === undefined ? path === model.path : fingerprint === model.summary.fingerprint,
    );
    return (
      own.find(({ status }) => status === "running" || status === "waiting") ??
      own.find(({ done }) => done >= FEWEST_SCORED) ??
      null
    );
  }

  #factsOf(): GuideFacts {
    const { model } = this.#studio;
    return {
      model: model?.summary.name ?? null,
      searched: (model?.detection ?? null) !== null,
      searching: this.#studio.activeJob("detect") !== null,
      run: this.run,
      ...this.#done(),
    };
  }

  #done(): ModelRecord {
    const fingerprint = this.#studio.model?.summary.fingerprint;
    return (fingerprint === undefined ? undefined : this.#record?.models[fingerprint]) ?? NOTHING_DONE;
  }

  /** Only while the steps are followed: nobody else needs to know. */
  #note(change: Partial<ModelRecord>): void {
    const fingerprint = this.#studio.model?.summary.fingerprint;
    if (fingerprint === undefined || this.#record === null) return;
    const models = { ...this.#record.models, [fingerprint]: { ...this.#done(), ...change } };
    this.#keep({ ...this.#record, models });
  }

  #keep(record: GuideRecord): void {
    this.#record = record;
    keepRecord(record);
  }
}
