import { z } from "zod";
import { errorData } from "../errorData.ts";
import { experimentName } from "../lab/index.ts";

/** Stages of a sweep, by what is worked at. */
export const SWEEP_STAGES = {
  detecting: "super weights",
  original: "original",
  variants: "variants",
} as const;

export const jobKind = z.enum([
  "detect",
  "evaluate",
  "sweep",
  "ablate",
  "export",
  "generate",
  "statistics",
  "tasks",
  "compare",
  "diff",
  "lab",
]);
export type JobKind = z.infer<typeof jobKind>;

export const jobStatus = z.enum(["waiting", "running", "paused", "done", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof jobStatus>;

/** How far a job is, as whoever does the work counts it: `done` of `total` units, every stage of the job among them. */
export type Work = Pick<Progress, "done" | "total" | "unit" | "phase" | "stage">;

/** How far a job is, with the rate per second and the seconds left, which the studio computes (null while unknown). */
export const progress = z.object({
  done: z.number(),
  total: z.number(),
  unit: z.string(),
  /** What is happening now, e.g. `layer 3 of 16`. */
  phase: z.string(),
  /** Which of its stages: units of another may take another time each, so that what a stage takes is told from its own. */
  stage: z.string().optional(),
  rate: z.number().nullable(),
  secondsLeft: z.number().nullable(),
});
export type Progress = z.infer<typeof progress>;

export const jobView = z.object({
  id: z.string(),
  kind: jobKind,
  title: z.string(),
  /** Model folder, or null. */
  model: z.string().nullable(),
  /** The run it executes, for sweeps. */
  run: z.string().nullable(),
  /** The experiment it conducts, for the lab. */
  experiment: experimentName.optional(),
  status: jobStatus,
  /** Its place in the queue: 0 = runs, n = the n-th of those that wait; absent where it is in neither. */
  turn: z.number().int().nonnegative().optional(),
  progress: progress.nullable(),
  created: z.string(),
  seconds: z.number(),
  error: errorData.nullable(),
});
export type JobView = z.infer<typeof jobView>;

/** What one worker of a running sweep is doing. */
export const laneView = z.object({
  worker: z.number().int(),
  /** Ids of the variants of its wave, the one at hand first. */
  variants: z.array(z.string()),
  label: z.string(),
  /** 0 … 1 of the wave. */
  fraction: z.number(),
  tokensPerSecond: z.number().nullable(),
});
export type LaneView = z.infer<typeof laneView>;
