import { note } from "./notes.ts";
import { z } from "zod";
import { errorData } from "./errorData.ts";

/** The wizard's receipt: what a plan will cost, before it starts. */
export const planEstimate = z.object({
  variants: z.number().int(),
  /** How many of them are known to make the same weights as another one: those are not scored again. */
  same: z.number().int().default(0),
  tokens: z.number(),
  windows: z.number().int(),
  workers: z.number().int(),
  threadsPerWorker: z.number().int(),
  variantsPerWave: z.number().int(),
  /** From this machine's measured rate where there is one, otherwise from its GEMM rate; null = unknown. */
  seconds: z.number().nullable(),
  peakBytes: z.number(),
  availableBytes: z.number(),
  /** Bytes the run store will grow by. */
  diskBytes: z.number(),
  /** Fewest and most bits per weight among the variants. */
  bitsPerWeight: z.tuple([z.number(), z.number()]).nullable(),
  notes: z.array(note),
  /** Problems that keep the plan from starting; empty = it can start. */
  problems: z.array(errorData),
});
export type PlanEstimate = z.infer<typeof planEstimate>;

/** Text at hand for scoring, as found beside a model or picked. */
export const textInfo = z.object({
  path: z.string(),
  name: z.string(),
  bytes: z.number(),
  documents: z.number().int(),
  /** Tokens with the model's tokenizer; null where it was not counted. */
  tokens: z.number().nullable(),
  /** The text that ships with the program. */
  own: z.literal(true).optional(),
});
export type TextInfo = z.infer<typeof textInfo>;
