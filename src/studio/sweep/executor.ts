import type { Convention, Scores } from "#shared/evaluation.ts";
import type { Judge } from "#shared/plan.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { VariantResult } from "#shared/run.ts";
import type { Twin, VariantOutcome } from "#worker/protocol/task.ts";
import type { Lease } from "../store/leases.ts";

/** What a run computes, in words that mean the same on every machine: files by what they hold, not by where they lie. */
export interface RunSpec {
  /** Of the model. */
  readonly fingerprint: string;
  /** SHA-256 of the text. */
  readonly textHash: string;
  /** SHA-256 of the text on which SmoothQuant's scales are chosen; null where no recipe has any. */
  readonly calibrationHash: string | null;
  readonly judge: Judge;
  /** Those that are to be scored. */
  readonly variants: readonly Pick<VariantResult, "id" | "recipe">[];
}

/** The original on the text. */
export interface OriginalFacts {
  readonly scores: Scores;
  readonly convention: Convention;
  readonly device: string;
}

/** What a run stands on, once it is there. */
export interface Prepared {
  /** Tokens that each variant is scored on. */
  readonly tokens: number;
  /** What computes. */
  readonly device: string;
  /** Variants that make the weights of another one; they are not leased. */
  readonly twins: readonly Twin[];
}

/** Told while a run is prepared. */
export interface Preparing {
  progress(stage: "super weights" | "original", fraction: number): void;
  /** Only where a recipe asks for them. */
  superWeights(found: readonly Coordinate[]): void;
  original(facts: OriginalFacts): void;
}

/** Told while a lease is worked on. */
export interface Scoring {
  progress(fraction: number): void;
  variant(outcome: VariantOutcome): void;
}

/**
 * What computes runs: the threads of this process, or something elsewhere. It is given data and gives data; pausing and cancelling
 * are its own affair with the job that it works for.
 */
export interface Executor {
  /** How many leases it works on at once. */
  readonly workers: number;
  /**
   * Finds super weights and twins, and scores the original. Comes before every lease.
   * @throws KeystoneError run/other-model where it has another model than the spec names; job/cancelled; what computing throws
   */
  prepare(spec: RunSpec, heard: Preparing, signal: AbortSignal): Promise<Prepared>;
  /**
   * Scores what was leased; resolves when each variant's outcome was told.
   * @throws KeystoneError worker/died where whoever had the lease is gone; job/cancelled
   */
  score(lease: Lease, heard: Scoring, signal: AbortSignal): Promise<void>;
}
