import { note } from "./notes.ts";
import { z } from "zod";
import { recipe } from "./recipe.ts";
import { errorData } from "./errorData.ts";
import { keptModule } from "./exportFormats/descriptor.ts";
import { exportFormat, exportFormatOf, type ExportFormat } from "./exportFormats/index.ts";

export { exportFormat, type ExportFormat } from "./exportFormats/index.ts";
export { keptModule, type KeptModule } from "./exportFormats/descriptor.ts";

export const exportRequest = z.strictObject({
  recipe,
  format: exportFormat.default("safetensors"),
  /** Folder to create. */
  out: z.string().min(1).max(4096),
  /** Allow replacing a folder that is already there. */
  overwrite: z.boolean().default(false),
  /** Largest shard in bytes, in formats that have shards; null = as the source is sharded. */
  maxShardBytes: z.number().int().positive().nullable().default(null),
  /** Only where the format restores by module. */
  kept: keptModule.default("unquantized"),
  /** What embedding and head become where the recipe leaves them as they are; only where the format offers it. */
  embedding: keptModule.default("unquantized"),
});
export type ExportRequest = z.infer<typeof exportRequest>;

/** What a window shows of a format: of its descriptor what can be sent. */
export const formatDescription = z.object({
  format: exportFormat,
  title: z.string(),
  summary: z.string(),
  size: z.enum(["packed", "dequantized"]),
  restored: z.enum(["exact", "module"]),
  kept: z.array(keptModule),
  exact: z.string(),
  schemes: z.string(),
  granularities: z.string(),
  loadsIn: z.array(z.string()),
});
export type FormatDescription = z.infer<typeof formatDescription>;

export function descriptionOf(format: ExportFormat): FormatDescription {
  return formatDescription.parse({ format, ...exportFormatOf(format) });
}

/** A format held against one recipe on one model. */
export const formatAnswer = z.object({
  description: formatDescription,
  /** What of the recipe the format cannot store; empty = it holds the variant. */
  problems: z.array(errorData),
  /** How the recipe is changed for the format, one sentence each: restored weights kept by module, and what that costs. */
  changes: z.array(note),
  /** Of the changed recipe; null where it has problems. */
  bitsPerWeight: z.number().nullable(),
  fileBitsPerWeight: z.number().nullable(),
  /** Of the weights alone: the size of the variant, as runs and comparisons give it. */
  weightBytes: z.number().nullable().default(null),
  /** Of everything that is written. */
  bytes: z.number().nullable(),
});
export type FormatAnswer = z.infer<typeof formatAnswer>;

export const exportedFile = z.object({ path: z.string(), bytes: z.number(), sha256: z.string() });

/** An export scored in the runtime it is made for, on the text that the variant was judged on. */
export const runtimeScore = z.object({
  /** With its version. */
  name: z.string(),
  perplexity: z.number().nullable(),
  /** Why it was not run, in one sentence; null where it was. */
  notRun: z.string().nullable(),
});
export type RuntimeScore = z.infer<typeof runtimeScore>;

export const exportReport = z.object({
  out: z.string(),
  format: exportFormat,
  files: z.array(exportedFile),
  bytes: z.number(),
  /** Of what was written, which is what was judged: the recipe as the format holds it. */
  recipe,
  bitsPerWeight: z.number(),
  fileBitsPerWeight: z.number(),
  changes: z.array(note),
  /** What the format's loaders do not take of it, and what else one should know of the files; one sentence each. */
  notes: z.array(note),
  verified: z
    .object({
      perplexity: z.number().nullable(),
      /** Largest |difference| between the judged and the reopened weights. */
      maxAbsDiff: z.number(),
      /** The same text scored before export, for the comparison. */
      judgedPerplexity: z.number().nullable(),
      tokens: z.number(),
      /** Null in formats whose runtime Keystone does not carry. */
      runtime: runtimeScore.nullable().default(null),
    })
    .nullable(),
  seconds: z.number(),
});
export type ExportReport = z.infer<typeof exportReport>;
