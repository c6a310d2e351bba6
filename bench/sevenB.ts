import { open, readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { SEVEN_B } from "./checkpointShape.ts";
import { gemmFlops, gemmSeconds, type Gemm } from "./gemm.ts";
import { keystone } from "./keystone.ts";
import { writeRandomCheckpoint, type Plant } from "./randomCheckpoint.ts";
import { inTemporaryFolder } from "./temporaryFolder.ts";

const PLANT: Plant = { layer: 1, row: 2533, column: 7890, value: 6 };
const SHARD_BYTES = 2e9;
const MEMORY_GOAL_BYTES = 4e9;
const READ_BYTES = 16 * 2 ** 20;

const detected = z.object({
  superWeights: z.array(
    z.object({ layer: z.number(), row: z.number(), column: z.number(), share: z.number(), pass: z.number() }),
  ),
  passes: z.array(z.object({ fromLayer: z.number() })),
  tokens: z.array(z.unknown()),
  device: z.string(),
  seconds: z.number(),
  peakRssBytes: z.number(),
});

await inTemporaryFolder(async (folder) => {
  const started = performance.now();
  const bytes = await writeRandomCheckpoint(join(folder, "model"), SEVEN_B, PLANT, SHARD_BYTES);
  const shards = (await readdir(join(folder, "model"))).filter((file) => file.endsWith(".safetensors"));
  say(`wrote        ${giga(bytes)} GB in ${shards.length} shards, ${since(started)} s`);

  const disk = await readRate(shards.map((file) => join(folder, "model", file)));
  say(
    `plain read   ${giga(disk)} GB/s of the same files (the operating system may hold part of them in memory)`,
  );

  const run = await keystone([
    "detect",
    join(folder, "model"),
    "--no-effect",
    "--home",
    join(folder, "home"),
    "--device",
    "cpu",
  ]);
  const report = detected.parse(run.document);
  const layersRun = report.passes.reduce((sum, pass) => sum + SEVEN_B.layers - pass.fromLayer, 0);
  const perLayer = layerGemms(report.tokens.length);
  const layerBytes = perLayer.reduce((sum, { inner, outer }) => sum + 2 * inner * outer, 0);
  const read = layerBytes * layersRun;
  const alone = await gemmSeconds(
    perLayer.map((gemm) => ({ ...gemm, times: layersRun })),
    availableParallelism(),
  );

  const found = report.superWeights.map(
    (w) => `layer ${w.layer} [${w.row}, ${w.column}] on pass ${w.pass}, share ${w.share.toFixed(3)}`,
  );
  say(`found        ${found.join("; ") || "nothing"}`);
  say(`planted      layer ${PLANT.layer} [${PLANT.row}, ${PLANT.column}]`);
  say(
    `detect       ${report.seconds.toFixed(1)} s, ${report.passes.length} passes over ${layersRun} layers, ${giga(read)} GB read: ${giga(read / report.seconds)} GB/s`,
  );
  say(`disk allows  ${(read / disk).toFixed(1)} s at the plain read's rate`);
  say(
    `GEMM allows  ${alone.toFixed(1)} s (${report.tokens.length} tokens, ${((gemmFlops(perLayer) * layersRun) / alone / 1e9).toFixed(0)} GFLOP/s)`,
  );
  say(
    `peak memory  ${giga(report.peakRssBytes)} GB as reported, ${run.peakBytes === null ? "not seen" : `${giga(run.peakBytes)} GB`} from outside (goal: under ${giga(MEMORY_GOAL_BYTES)} GB)`,
  );

  const [only, ...others] = report.superWeights;
  const right =
    only !== undefined &&
    others.length === 0 &&
    only.layer === PLANT.layer &&
    only.row === PLANT.row &&
    only.column === PLANT.column;
  const peak = Math.max(report.peakRssBytes, run.peakBytes ?? 0);
  if (!right || !(peak < MEMORY_GOAL_BYTES)) {
    say("MISSED: the plant was not found alone, or memory passed the goal.");
    process.exitCode = 1;
  }
});

/** The matrix products of one layer for one prompt. */
function layerGemms(tokens: number): Gemm[] {
  const { hidden, intermediate } = SEVEN_B;
  const gemm = (inner: number, outer: number): Gemm => ({ rows: tokens, inner, outer, times: 1 });
  const attention = Array.from({ length: 4 }, () => gemm(hidden, hidden));
  return [...attention, gemm(hidden, intermediate), gemm(hidden, intermediate), gemm(intermediate, hidden)];
}

/** Bytes per second of reading the files from beginning to end, once. */
async function readRate(paths: readonly string[]): Promise<number> {
  const buffer = Buffer.alloc(READ_BYTES);
  const started = performance.now();
  let total = 0;
  for (const path of paths) {
    const file = await open(path);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
      if (bytesRead === 0) break;
      total += bytesRead;
    }
    await file.close();
  }
  return total / ((performance.now() - started) / 1000);
}

function giga(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function since(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
