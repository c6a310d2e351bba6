import { z } from "zod";
import { convention, scores } from "#shared/evaluation.ts";
import { exportedFile, exportFormat, exportReport } from "#shared/exporting.ts";
import { finiteOrNull } from "#shared/numbers.ts";
import { recipe } from "#shared/recipe.ts";

/** A weight put back exactly, and the value it has in the file. */
export const restoredWeight = z.object({
  layer: z.number().int().nullable(),
  row: z.number().int(),
  column: z.number().int(),
  tensor: z.string(),
  value: z.number(),
});
export type RestoredWeight = z.infer<typeof restoredWeight>;

/** What the variant scored before it was exported, and the original on the same text. */
export const judgedResults = z.object({
  text: z.string(),
  convention,
  original: scores.nullable(),
  variant: scores,
  sqnrDb: finiteOrNull,
});
export type JudgedResults = z.infer<typeof judgedResults>;

/** keystone.json: where an export comes from, how it was made, and what was proved about it. */
export const manifest = z.object({
  manifestVersion: z.literal(1),
  format: exportFormat,
  /** ISO 8601, UTC. */
  created: z.string(),
  /** Of Keystone and what it ran on. */
  versions: z.record(z.string(), z.string()),
  source: z.object({
    name: z.string(),
    fingerprint: z.string(),
    license: z
      .object({
        license: z.string(),
        license_name: z.string().optional(),
        license_link: z.string().optional(),
      })
      .nullable(),
    /** The weight files as they were read. */
    files: z.array(exportedFile),
  }),
  recipe,
  recipeId: z.string(),
  /** How the recipe was changed for the format, one sentence each. */
  changes: z.array(z.string()).default([]),
  /** What the format's loaders do not take of it, and what else one should know of the files; one sentence each. */
  notes: z.array(z.string()).default([]),
  /** `dequantized`: the weights carry the recipe's rounding but are stored in the source's own types. */
  packing: z.enum(["dequantized", "packed"]),
  quantizedTensors: z.number().int(),
  restored: z.object({
    /** Weights put back over all tensors. */
    count: z.number(),
    /** The ones that the recipe names by coordinate; empty for `largest`. */
    weights: z.array(restoredWeight),
  }),
  /** Of quantized weights: what the packed formats need. */
  bitsPerWeight: z.number(),
  /** Over all tensors of the files that were written. */
  fileBitsPerWeight: z.number(),
  /** Every file of the export but this one. */
  files: z.array(exportedFile),
  results: judgedResults.nullable(),
  verified: exportReport.shape.verified,
});
export type Manifest = z.infer<typeof manifest>;
export type Verified = NonNullable<Manifest["verified"]>;
