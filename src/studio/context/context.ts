import type { CallName, CheckedArgs, Reply } from "#shared/contract/contract.ts";
import type { Settings } from "#shared/settings.ts";
import type { Access } from "../models/access.ts";
import type { Devices } from "../models/devices.ts";
import type { EventStream } from "../jobs/eventStream.ts";
import type { JobRegistry } from "../jobs/jobs.ts";
import type { PoolKeeper, WorkerPool } from "../jobs/pool.ts";
import type { Machine } from "../models/sizing.ts";
import type { ImportedRuns } from "../store/importedRuns.ts";
import type { CacheStore } from "../store/cacheStore.ts";
import type { LabStore } from "../store/labStore.ts";
import type { RunStore } from "../store/runStore.ts";
import type { RunWords } from "../store/runWords.ts";
import type { StudioOptions } from "./studio.ts";

/** What the answers to the calls are made of. */
export interface StudioContext {
  readonly home: string;
  readonly options: StudioOptions;
  readonly access: Access;
  readonly events: EventStream;
  readonly kept: CacheStore;
  readonly runs: RunStore;
  /** Titles and notes of runs. */
  readonly words: RunWords;
  readonly archives: ImportedRuns;
  readonly lab: LabStore;
  readonly jobs: JobRegistry;
  /** For jobs. */
  readonly pools: PoolKeeper;
  /** For small things that must not wait behind a job: statistics, counting tokens, probing devices. */
  readonly interactivePool: WorkerPool;
  readonly devices: Devices;
  machine(): Machine;
  /** The kept settings, with this process's own over them. */
  settings(): Settings;
  /** True from the moment the studio closes. */
  closing(): boolean;
}

/** Answers to some of the contract's calls; the arguments were checked. */
export type Answers<C extends CallName> = {
  [K in C]: (args: CheckedArgs<K>) => Promise<Reply<K>> | Reply<K>;
};
