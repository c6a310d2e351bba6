import { readFile } from "node:fs/promises";
import { openCheckpoint } from "#engine/checkpoint/openCheckpoint.ts";
import { ExportJob } from "#engine/export/exportJob.ts";
import { exportSafetensors } from "#engine/export/exportSafetensors.ts";
import { exportVariant } from "#engine/export/exportVariant.ts";
import { nodeFileSystem } from "#engine/export/nodeFileSystem.ts";
import { verifyExport } from "#engine/export/verifyExport.ts";
import { parseRecipe } from "#shared/plan.ts";

/** `node exportOnce.ts MODEL RECIPE OUT [MAX_SHARD_BYTES]`: exports without the CLI around it, for checkExport.py. */
const [source = "", recipeFile = "", out = "", maxShardBytes] = process.argv.slice(2);
const checkpoint = await openCheckpoint(source);
const variant = exportVariant(checkpoint, parseRecipe(JSON.parse(await readFile(recipeFile, "utf8"))), {
  superWeights: [],
  downProjection: (layer) => `model.layers.${layer}.mlp.down_proj.weight`,
});
const control = { check: () => undefined, report: () => undefined };
const finished = await exportSafetensors({
  checkpoint,
  variant,
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
