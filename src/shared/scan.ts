import { z } from "zod";
import { note } from "./notes.ts";

/** A preview from the weights alone: the row and column of one layer's MLP that could amplify most. */
export const scannedLayer = z.object({
  layer: z.number().int(),
  /** Whose down_proj, in a layer with experts. */
  expert: z.number().int().optional(),
  tensor: z.string(),
  row: z.number().int(),
  column: z.number().int(),
  value: z.number(),
  /** The row's score as a multiple of the layer's median row. */
  timesMedian: z.number(),
  /** Part of the row's score that comes from this column. */
  share: z.number(),
  published: z.string().nullable(),
});
export type ScannedLayer = z.infer<typeof scannedLayer>;

export const scanReport = z.object({
  model: z.string(),
  /** Strongest first. */
  layers: z.array(scannedLayer),
  /** What this is and is not, one sentence each. */
  notes: z.array(note),
  seconds: z.number(),
});
export type ScanReport = z.infer<typeof scanReport>;
