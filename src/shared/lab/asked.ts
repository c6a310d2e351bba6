import { z } from "zod";
import { judge } from "../plan.ts";

const path = z.string().min(1).max(4096);
const paths = z.array(path).max(64).default([]);
export const prompts = z.array(z.string().min(1).max(20_000)).max(512).default([]);

/** What every experiment is asked with. Texts are files; a face fills them in where the person named none. */
export const common = {
  /** The text that is judged. */
  text: path,
  /** Where thresholds and scales are chosen; never the judged text. Null = the experiment does without, or refuses. */
  calibration: path.nullable().default(null),
  judge: judge.default({ windows: "bos" }),
  /** Task files (or datasets) that rows answer too. */
  tasks: paths,
  /** At most so many items of each task file; null = all. */
  taskLimit: z.number().int().positive().nullable().default(null),
};

/** Clips tried where a threshold is searched. Kept short: each is scored on the calibration text. */
export const DEFAULT_THRESHOLDS: readonly number[] = [3, 5, 7, 9, 12, 20];
/** The same for the methods whose threshold is a fraction of the weights. */
export const DEFAULT_FRACTIONS: readonly number[] = [1e-6, 1e-5, 1e-4, 1e-3];

export const thresholds = z
  .array(z.number().positive())
  .min(1)
  .max(64)
  .default([...DEFAULT_THRESHOLDS]);
