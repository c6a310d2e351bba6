import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/checkpoint/openCheckpoint.ts";
import { adaptVariant } from "#engine/export/adaptVariant.ts";
import { exporters } from "#engine/export/exporters.ts";
import { ExportJob } from "#engine/export/exportJob.ts";
import { nodeFileSystem } from "#engine/export/nodeFileSystem.ts";
import { verifyExport } from "#engine/export/verifyExport.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { parseRecipe } from "#shared/plan.ts";

/** Exports a checkpoint by a recipe as an ONNX decoder into `out`, and holds every weight to what is judged. */
export async function exportOnnx(source: string, recipe: unknown, out: string): Promise<void> {
  const checkpoint = await openCheckpoint(source);
  const control = { check: () => undefined, report: () => undefined };
  try {
    const model = { checkpoint, architecture: architectureOf(checkpoint), superWeights: [] };
    const adapted = adaptVariant(model, { recipe: parseRecipe(recipe), format: "onnx", kept: "unquantized" });
    await writeExport({
      ...adapted,
      ...{
        format: "onnx",
        model,
        overwrite: false,
        maxShardBytes: null,
        versions: {},
        results: null,
        control,
      },
      job: await ExportJob.plan({ source, out, overwrite: false }, nodeFileSystem),
      fileSystem: nodeFileSystem,
    });
    const { maxAbsDiff } = await verifyExport({
      ...{ source: checkpoint, variant: adapted.variant, out, control },
      carried: exporters.onnx.tensors?.(model),
      evaluate: () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 }),
    });
    if (maxAbsDiff !== 0) throw new Error(`${out} differs from what was judged by ${maxAbsDiff}`);
  } finally {
    await checkpoint.close();
  }
}
