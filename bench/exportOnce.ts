import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { writeExport } from "#engine/export/writeExport.ts";
import { exportFormat } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";

/** `node exportOnce.ts MODEL FORMAT RECIPE OUT`: one export in a process of its own; what it took, as JSON. */
const [source = "", formatName = "", recipe = "", out = ""] = process.argv.slice(2);
const format = exportFormat.parse(formatName);
const checkpoint = await openCheckpoint(source);
const model = { checkpoint, architecture: architectureOf(checkpoint), superWeights: [] };
const adapted = adaptVariant(model, { recipe: parseRecipe(JSON.parse(recipe)), format, kept: "unquantized" });
const before = process.cpuUsage();
const { bytes, seconds } = await writeExport({
  ...adapted,
  ...{ format, model, overwrite: false, maxShardBytes: null, versions: {}, results: null },
  job: await ExportJob.plan({ source, out, overwrite: false }, nodeFileSystem),
  fileSystem: nodeFileSystem,
  control: { check: () => undefined, report: () => undefined },
});
const { user, system } = process.cpuUsage(before);
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ bytes, seconds, processorSeconds: (user + system) / 1e6, peakBytes }));
