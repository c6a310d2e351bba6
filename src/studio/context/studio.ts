import type { Args, CallName, CheckedArgs, Reply } from "#shared/contract/contract.ts";
import type { NumberedEvent } from "#shared/contract/events.ts";
import type { Settings } from "#shared/settings.ts";
import type { ModelCache } from "../models/modelCaches.ts";

/** What a face gives its studio. Everything is optional; the defaults suit the command line. */
export interface StudioOptions {
  /** Folder of the run store and the caches; default KEYSTONE_HOME, else the platform's application-data folder. */
  home?: string;
  /** Module that the pool's threads load; default the worker beside this code. */
  workerFile?: string;
  /** Folder of the demo model, or null where it was not shipped. */
  demoModel?: string | null;
  /** File of the text that ships with the program, or null where it was not shipped. */
  ownText?: string | null;
  /** Folders that paths may lie in; null = any (a person's own machine). Read at every call: the list may grow. */
  roots?: readonly string[] | null;
  shell?: "electron" | "browser";
  version?: string;
  /** Settings for this process only: they win over the kept ones and are never written. */
  overrides?: Partial<Settings>;
  /** Lets a person's own choice among the models that the studio found be opened, where `roots` would not. */
  grant?: (path: string) => void;
  /** Where other programs keep models; default this machine's usual places. */
  caches?: readonly ModelCache[];
  /** Native dialogs, where the face has them. */
  pickFolder?: (purpose: CheckedArgs<"folder:pick">["purpose"]) => Promise<string | null>;
  revealFolder?: (path: string) => Promise<void>;
}

/** The heart without a face: answers the contract's calls and tells what happens. */
export interface Studio {
  readonly home: string;
  /**
   * Answers one call. Arguments are checked with the contract's schema, whoever sends them.
   * @throws KeystoneError usage/unknown-call, usage/invalid-arguments, access/outside, and those of the call itself
   */
  call<C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>>;
  /** Events from now on; returns the way to stop. Earlier ones: `events:since`. */
  on(listener: (event: NumberedEvent) => void): () => void;
  /** Ends the jobs (runs in progress become `interrupted` and can be resumed), the threads and the store. */
  close(): Promise<void>;
}
