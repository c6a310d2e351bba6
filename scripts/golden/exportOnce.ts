import { readFile } from "node:fs/promises";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { exportFormat } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";

/** `node exportOnce.ts MODEL RECIPE OUT [FORMAT] [MAX_SHARD_BYTES]`: exports without the CLI around it, for checkExport.py. */
const [source = "", recipeFile = "", out = "", formatName = "safetensors", maxShardBytes] =
  process.argv.slice(2);
const format = exportFormat.parse(formatName);
const checkpoint = await openCheckpoint(source);
const model = { checkpoint, architecture: architectureOf(checkpoint), superWeights: [] };
const recipe = parseRecipe(JSON.parse(await readFile(recipeFile, "utf8")));
const { variant, changes, asked } = adaptVariant(model, { recipe, format, kept: "unquantized" });
const control = { check: () => undefined, report: () => undefined };
const finished = await writeExport({
  format,
  model,
  variant,
  changes,
  asked,
  job: await ExportJob.plan({ source, out, overwrite: false }),
  overwrite: false,
  maxShardBytes: maxShardBytes === undefined ? null : Number(maxShardBytes),
  versions: { keystone: "0.1.0", node: process.versions.node },
  results: null,
  fileSystem: nodeFileSystem,
  control,
});
const evaluate = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });
const { maxAbsDiff } = await verifyExport({ source: checkpoint, variant, out, evaluate, control });
console.log(
  JSON.stringify({ out: finished.out, bytes: finished.bytes, seconds: finished.seconds, maxAbsDiff }),
);
await checkpoint.close();
