import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { exportVariant } from "#engine/export/variant/exportVariant.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { parseRecipe } from "#shared/plan.ts";

/** Runs an export in a thread that its owner ends in the middle: after a number of checks it says so and waits forever. */
const input = z
  .object({
    source: z.string(),
    folders: z.object({
      out: z.string(),
      part: z.string(),
      aside: z.string(),
      missingParents: z.array(z.string()),
    }),
    stopAfter: z.number(),
    recipe: z.unknown(),
  })
  .parse(workerData);

const checkpoint = await openCheckpoint(input.source);
const model = { checkpoint, architecture: architectureOf(checkpoint), superWeights: [] };
let checks = 0;
await writeExport({
  format: "safetensors",
  model,
  changes: [],
  asked: { recipe: parseRecipe(input.recipe), kept: "unquantized", embedding: "unquantized", held: [] },
  variant: exportVariant(model, parseRecipe(input.recipe), []),
  job: new ExportJob(input.folders),
  overwrite: false,
  maxShardBytes: null,
  versions: {},
  results: null,
  fileSystem: nodeFileSystem,
  control: {
    report: () => undefined,
    check: async () => {
      checks += 1;
      if (checks < input.stopAfter) return;
      parentPort?.postMessage("waiting");
      // a timer keeps the thread alive; its owner ends it
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    },
  },
});
