import { z } from "zod";
import { recipe } from "./recipe.ts";

/** Formats a variant can leave as. Further ones join here and in `engine/export`. */
export const exportFormat = z.enum(["safetensors"]);
export type ExportFormat = z.infer<typeof exportFormat>;

export const exportRequest = z.strictObject({
  recipe,
  format: exportFormat.default("safetensors"),
  /** Folder to create. */
  out: z.string().min(1).max(4096),
  /** Allow replacing a folder that is already there. */
  overwrite: z.boolean().default(false),
  /** Largest shard in bytes; null = as the source is sharded. */
  maxShardBytes: z.number().int().positive().nullable().default(null),
});
export type ExportRequest = z.infer<typeof exportRequest>;

export const exportedFile = z.object({ path: z.string(), bytes: z.number(), sha256: z.string() });

export const exportReport = z.object({
  out: z.string(),
  format: exportFormat,
  files: z.array(exportedFile),
  bytes: z.number(),
  bitsPerWeight: z.number(),
  verified: z
    .object({
      perplexity: z.number().nullable(),
      /** Largest |difference| between the judged and the reopened weights. */
      maxAbsDiff: z.number(),
      /** The same text scored before export, for the comparison. */
      judgedPerplexity: z.number().nullable(),
      tokens: z.number(),
    })
    .nullable(),
  seconds: z.number(),
});
export type ExportReport = z.infer<typeof exportReport>;
