import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { adaptVariant, type AdaptedVariant } from "#engine/export/variant/adaptVariant.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { exportVariant } from "#engine/export/variant/exportVariant.ts";
import { writeExport, type FinishedExport } from "#engine/export/writeExport.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { exporters } from "#engine/formats/exporters.ts";
import type { Verified } from "#shared/verification.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import type { ExportControl, ExportVariant } from "#engine/formats/write/exportedVariant.ts";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import {
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../support/syntheticCheckpoint.ts";

export const SUPER_WEIGHT = { tensor: "model.layers.1.mlp.down_proj.weight", row: 3, column: 7, value: 2.5 };

/** A recipe that changes nearly every weight and puts the planted one back. */
export const RECIPE = {
  scheme: "affine",
  bits: 3,
  granularity: "group:8",
  range: { method: "zscore", threshold: 2 },
  restore: [[1, 3, 7]],
} as const;

export const freely: ExportControl = { check: () => undefined, report: () => undefined };

export interface Bench {
  /** Holds the source and nothing else yet. */
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  readonly variant: ExportVariant;
  readonly out: string;
}

/** A synthetic checkpoint with a planted weight, opened, and a variant of it. */
export async function bench(options: SyntheticOptions = {}, recipe: unknown = RECIPE): Promise<Bench> {
  const folder = await temporaryFolder();
  const source = await writeSyntheticCheckpoint({ plant: [SUPER_WEIGHT], ...options }, join(folder, "model"));
  const checkpoint = await openCheckpoint(source);
  onTestFinished(() => checkpoint.close());
  return { folder, checkpoint, variant: variantOf(checkpoint, recipe), out: join(folder, "export") };
}

export function variantOf(checkpoint: Checkpoint, recipe: unknown): ExportVariant {
  return exportVariant(modelOf(checkpoint), parseRecipe(recipe), [[1, 3, 7]]);
}

/** The variant of a recipe as a format holds it. */
export function adapted(
  checkpoint: Checkpoint,
  recipe: unknown,
  format: ExportFormat,
  kept: KeptModule = "unquantized",
): AdaptedVariant {
  return adaptVariant(modelOf(checkpoint), { recipe: parseRecipe(recipe), format, kept });
}

/** The checkpoint as exports see it. */
export function modelOf(checkpoint: Checkpoint): ExportModel {
  return { checkpoint, architecture: architectureOf(checkpoint), superWeights: [[1, 3, 7]] };
}

export interface ExportOptions {
  format?: ExportFormat;
  overwrite?: boolean;
  maxShardBytes?: number | null;
  fileSystem?: FileSystem;
  control?: ExportControl;
  verify?: (folder: string) => Promise<Verified>;
}

/** Plans and writes an export of the bench's variant, as its owner does. */
export async function exportTo(
  { checkpoint, variant, out }: Bench,
  options: ExportOptions = {},
): Promise<FinishedExport> {
  const {
    format = "safetensors",
    overwrite = false,
    maxShardBytes = null,
    fileSystem = nodeFileSystem,
    control = freely,
    verify,
  } = options;
  const job = await ExportJob.plan({ source: checkpoint.path, out, overwrite }, fileSystem);
  return writeExport({
    format,
    model: modelOf(checkpoint),
    variant,
    changes: [],
    asked: { recipe: variant.recipe, kept: "unquantized", embedding: "unquantized", held: [] },
    job,
    overwrite,
    maxShardBytes,
    versions: { keystone: "0.0.0-test" },
    results: null,
    fileSystem,
    control,
    verify,
  });
}

/** Compares every weight, as the product does before an export gets its name; the score is made up. */
export function verifying(
  { checkpoint, variant }: Bench,
  format: ExportFormat,
  control: ExportControl = freely,
): (folder: string) => Promise<Verified> {
  const carried = exporters[format].tensors?.(modelOf(checkpoint));
  return async (out) => ({
    ...(await verifyExport({
      source: checkpoint,
      variant,
      carried,
      out,
      control,
      evaluate: () => Promise.resolve(SCORED),
    })),
    runtime: null,
  });
}

const SCORED = { perplexity: 12.5, judgedPerplexity: 12.5, tokens: 640 };

/** Every path under a folder, sorted. */
export async function tree(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

/** What lies beside the target. */
export async function besideTarget({ out }: Bench): Promise<string[]> {
  return (await readdir(dirname(out))).sort();
}
