import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";

/** Exports a checkpoint by a recipe and holds the file to what was judged. */
export async function exportAs(
  source: string,
  recipe: unknown,
  out: string,
  { format, kept = "unquantized" }: { format: ExportFormat; kept?: KeptModule },
): Promise<void> {
  const checkpoint = await openCheckpoint(source);
  const control = { check: () => undefined, report: () => undefined };
  try {
    const model = { checkpoint, architecture: architectureOf(checkpoint), superWeights: [] };
    const adapted = adaptVariant(model, { recipe: parseRecipe(recipe), format, kept });
    await writeExport({
      ...adapted,
      ...{
        format,
        model,
        overwrite: true,
        maxShardBytes: null,
        versions: {},
        results: null,
        control,
      },
      job: await ExportJob.plan({ source, out, overwrite: true }, nodeFileSystem),
      fileSystem: nodeFileSystem,
    });
    const evaluate = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });
    const { maxAbsDiff } = await verifyExport({
      ...{ source: checkpoint, variant: adapted.variant, out, control, evaluate },
      carried: exporters[format].tensors?.(model),
    });
    if (maxAbsDiff !== 0) throw new Error(`${out} differs from what was judged by ${maxAbsDiff}`);
  } finally {
    await checkpoint.close();
  }
}
