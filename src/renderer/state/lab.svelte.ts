import { SvelteMap } from "svelte/reactivity";
import type { Host } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { ExperimentName, LabReport, LabResult, LabSummary } from "#shared/lab/index.ts";
import { ledger } from "./collections.ts";

/** What the window knows of the lab: the kept results of every model, and what running experiments found so far. */
export class Lab {
  /** Newest first, of every model. */
  kept: readonly LabSummary[] = $state.raw([]);
  /** Whether they were read: until then there may be some. */
  read = $state(false);
  /** Kept results that were read, whole, by id. */
  readonly results = new SvelteMap<string, LabResult>();
  /** Why a kept result could not be read. */
  readonly errors = new SvelteMap<string, KeystoneErrorData>();
  /** The last report that a job told, by the job's id. */
  readonly reports = new SvelteMap<string, LabReport>();
  readonly #host: Host;
  readonly #asked = ledger<string, Promise<void>>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Reads the list afresh. */
  async load(): Promise<void> {
    const kept = await this.#host.call("lab:list", {});
    this.kept = kept;
    this.read = true;
    for (const id of this.results.keys()) if (!kept.some((one) => one.id === id)) this.#forget(id);
  }

  /** Kept results of one model, of one experiment where it is named; newest first. */
  of(fingerprint: string, experiment?: ExperimentName): readonly LabSummary[] {
    return this.kept.filter(
      (one) => one.fingerprint === fingerprint && (experiment === undefined || one.experiment === experiment),
    );
  }

  /** Reads a kept result unless it is here or on its way. */
  async wish(id: string): Promise<void> {
    const asked = this.#asked.get(id) ?? this.#read(id);
    this.#asked.set(id, asked);
    return asked;
  }

  /** Takes what a running experiment tells. */
  takeReport(job: string, report: LabReport): void {
    this.reports.set(job, report);
  }

  async #read(id: string): Promise<void> {
    try {
      this.results.set(id, await this.#host.call("lab:get", { id }));
    } catch (thrown) {
      this.errors.set(id, toErrorData(thrown));
    }
  }

  #forget(id: string): void {
    this.results.delete(id);
    this.errors.delete(id);
    this.#asked.delete(id);
  }
}
