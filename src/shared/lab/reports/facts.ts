import { note } from "../../notes.ts";
import { z } from "zod";
import { convention } from "../../evaluation.ts";
import { coordinate } from "../../recipe.ts";

/** Of weights, as the experiments take and report them. */
export const bits = z.number().int().min(2).max(8);

/** How many of its points a report holds, counted in the experiment's own unit; null where earlier versions kept it. */
export const labReached = z.object({
  done: z.number().int(),
  /** Null where it is not known before the end. */
  of: z.number().int().nullable(),
  /** One of them: `row`, `factor`. */
  unit: z.string(),
});
export type LabReached = z.infer<typeof labReached>;

/** What stands in every report, so that it can be read and repeated alone. */
export const facts = {
  /** Folder and name of the checkpoint. */
  model: z.string(),
  modelName: z.string(),
  fingerprint: z.string(),
  text: z.string(),
  calibration: z.string().nullable(),
  /** At most so many items of each task file were asked for; null = all. */
  taskLimit: z.number().int().positive().nullable().default(null),
  convention,
  superWeights: z.array(coordinate),
  device: z.string(),
  seconds: z.number(),
  /** False while points still come: a report told on the way holds what is known so far. */
  complete: z.boolean(),
  /** Set where it was cancelled on its way: what it holds is what was measured until then. */
  cancelled: z.boolean().default(false),
  /** Set where it failed on its way, with the reason; it too holds what was measured until then. */
  failed: z.string().nullable().default(null),
  reached: labReached.nullable().default(null),
  /** The result in one sentence with its numbers; what a heading says. */
  finding: note,
  /** What the reader must know: what was counted out, what could not be shown. One sentence each. */
  notes: z.array(note),
};

/** What every report holds. */
export type LabFacts = z.output<z.ZodObject<typeof facts>>;
