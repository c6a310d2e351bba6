import { join } from "node:path";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { adaptVariant, type AdaptedVariant } from "#engine/export/variant/adaptVariant.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import type { ExportControl } from "#engine/formats/write/exportedVariant.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { freely } from "../exporting.ts";

/** A recipe brought to ONNX on a checkpoint. */
export function onnxVariant(model: ExportModel, recipe: unknown): AdaptedVariant {
  return adaptVariant(model, { recipe: parseRecipe(recipe), format: "onnx", kept: "unquantized" });
}

export function exportModel(checkpoint: Checkpoint, superWeights: readonly Coordinate[] = []): ExportModel {
  return { checkpoint, architecture: architectureOf(checkpoint), superWeights };
}

/** Writes a variant as an ONNX decoder into a folder of its own inside `folder`. Returns that. */
export async function exportDecoder(
  checkpoint: Checkpoint,
  folder: string,
  recipe: unknown,
  superWeights: readonly Coordinate[] = [],
  control: ExportControl = freely,
): Promise<string> {
  const out = join(folder, "export");
  const model = exportModel(checkpoint, superWeights);
  await writeExport({
    ...onnxVariant(model, recipe),
    format: "onnx",
    model,
    job: await ExportJob.plan({ source: checkpoint.path, out, overwrite: false }),
    overwrite: false,
    maxShardBytes: null,
    versions: { keystone: "0.0.0-test" },
    results: null,
    fileSystem: nodeFileSystem,
    control,
  });
  return out;
}
