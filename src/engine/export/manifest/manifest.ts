import { note } from "#shared/notes.ts";
import { z } from "zod";
import { convention, scores } from "#shared/evaluation.ts";
import { exportedFile, exportFormat, exportReport, keptModule } from "#shared/exporting.ts";
import { inventoryKind, unusedReason } from "#shared/inventory.ts";
import { finiteOrNull } from "#shared/numbers.ts";
import { judge } from "#shared/plan.ts";
import { recipe } from "#shared/recipe.ts";
import { restoredWeight } from "#engine/formats/write/restoredWeights.ts";

/** What the variant scored before it was exported, and the original on the same text. */
export const judgedResults = z.object({
  /** Named without its folder: the record is published. */
  text: z.object({ name: z.string(), sha256: z.string() }),
  /** How it was cut, as it was asked for. */
  judge,
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
    /** What else it holds, by kind and reason: none of it was judged, and none is in these files. */
    notUsed: z.array(unusedReason.extend({ kind: inventoryKind, names: z.array(z.string()) })).optional(),
  }),
  /** What was asked for, which makes these files again. `recipe` is what the format made of it. */
  asked: z.object({
    recipe,
    recipeId: z.string(),
    kept: keptModule,
    embedding: keptModule.default("unquantized"),
    maxShardBytes: z.number().int().nullable(),
  }),
  recipe,
  recipeId: z.string(),
  /** How the recipe was changed for the format, one sentence each. */
  changes: z.array(note).default([]),
  /** What the format's loaders do not take of it, and what else one should know of the files; one sentence each. */
  notes: z.array(note).default([]),
  /** `dequantized`: the weights carry the recipe's rounding but are stored in the source's own types. */
  packing: z.enum(["dequantized", "packed"]),
  quantizedTensors: z.number().int(),
  /** Of most quantized weights; null where none is quantized. */
  quantizedBits: z.number().int().nullable(),
  restored: z.object({
    /** Weights put back over all tensors. */
    count: z.number(),
    /** The ones that the recipe names by coordinate; empty for `largest`. */
    weights: z.array(restoredWeight),
    /** The ones whose modules are kept at higher precision instead, as `changes` says. */
    held: z.array(restoredWeight),
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
