import { spawnSync } from "node:child_process";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { exportFormat, type ExportFormat } from "#shared/exporting.ts";
import { llama, llamaLibraries } from "../scripts/peers/gguf/llamaLibraries.ts";
import { machineLine } from "./machine.ts";
import { SEVEN_B, type Shape } from "./checkpointShape.ts";
import { writeRandomCheckpoint, type Plant } from "./randomCheckpoint.ts";
import { inTemporaryFolder } from "./temporaryFolder.ts";

/*
 * node exports.ts [7b] [--model FOLDER] [FORMAT …] [llama.cpp]: all formats and llama.cpp's quantizer, or the named ones, each beside
 * a plain copy. 7b takes 41 GB of disk. A source folder that is named is used if it is there, else written and kept.
 */

/** TinyLlama's sizes; `7b` takes Llama 2 7 B's. */
const ONE_B: Shape = {
  ...{ layers: 22, hidden: 2048, intermediate: 5632, heads: 32, keyValueHeads: 4 },
  ...{ vocabulary: 32_000, context: 2048 },
};
const PLANT: Plant = { layer: 1, row: 533, column: 890, value: 6 };
const SHARD_BYTES = 2e9;
const MEMORY_GOAL_BYTES = 3e9;
const LLAMA = "llama.cpp";

/** One recipe that each format holds, 4 bits where it has them. */
const RECIPES: Readonly<Record<ExportFormat, object>> = {
  safetensors: { scheme: "int", bits: 4, symmetric: true, granularity: "group:128" },
  "compressed-tensors": { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:128" },
  gptq: { scheme: "gptq-int", bits: 4, symmetric: true, granularity: "group:128" },
  awq: { scheme: "awq-int", bits: 4, granularity: "group:128" },
  mlx: { scheme: "mlx", bits: 4, granularity: "group:128" },
  gguf: { scheme: "q4_0", bits: 4, granularity: "group:32" },
  onnx: { scheme: "matmulnbits", bits: 4, granularity: "group:32" },
};

const taken = z.object({
  bytes: z.number(),
  seconds: z.number(),
  processorSeconds: z.number(),
  peakBytes: z.number(),
});

const { positionals, values: given } = parseArgs({
  allowPositionals: true,
  options: { model: { type: "string" } },
});
const sevenB = positionals[0] === "7b";
const wanted = sevenB ? positionals.slice(1) : positionals;
const runsLlama = wanted.length === 0 || wanted.includes(LLAMA);
const named = wanted.filter((name) => name !== LLAMA).map((name) => exportFormat.parse(name));
const formats = wanted.length === 0 ? exportFormat.options : named;

await inTemporaryFolder(async (folder) => {
  const model = given.model ?? join(folder, "model");
  if (!existsSync(model)) await writeRandomCheckpoint(model, sevenB ? SEVEN_B : ONE_B, PLANT, SHARD_BYTES);
  const source = await weightBytes(model);
  say(`${machineLine()}; load ${loadavg()[0].toFixed(1)} at the start`);
  say(`source: ${giga(source)} GB in BF16; rates are of the source's bytes`);
  say("| format | GB/s | of a copy | seconds | processor seconds | written GB | peak memory GB |");
  say("|---|---:|---:|---:|---:|---:|---:|");
  const copy = await copySeconds(model, join(folder, "copy"));
  say(
    `| plain copy of the files | ${rate(source, copy)} | 100 % | ${copy.toFixed(1)} | | ${giga(source)} | |`,
  );
  let kept = true;
  for (const format of formats) {
    const out = join(folder, format);
    const { bytes, seconds, processorSeconds, peakBytes } = exportOnce(model, format, RECIPES[format], out);
    say(
      `| ${format} | ${rate(source, seconds)} | ${percent(copy, seconds)} | ${seconds.toFixed(1)} | ${processorSeconds.toFixed(1)} | ${giga(bytes)} | ${giga(peakBytes)} |`,
    );
    kept &&= peakBytes < MEMORY_GOAL_BYTES;
    await rm(out, { recursive: true });
  }
  if (runsLlama) await besideLlama(model, folder, source, copy);
  if (!kept) {
    process.stderr.write(`An export took ${giga(MEMORY_GOAL_BYTES)} GB of memory or more.\n`);
    process.exitCode = 1;
  }
});

/** Bytes of the weight files of a folder. */
async function weightBytes(model: string): Promise<number> {
  const names = (await readdir(model)).filter((name) => name.endsWith(".safetensors"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(model, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function exportOnce(model: string, format: ExportFormat, recipe: object, out: string) {
  const script = join(import.meta.dirname, "exportOnce.ts");
  const args = ["--disable-warning=ExperimentalWarning", script, model, format, JSON.stringify(recipe), out];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`The export to ${format} failed.`);
  return taken.parse(JSON.parse(stdout));
}

/** llama.cpp's own quantizer on the same tensors: from an unquantized GGUF file to Q4_0, read and written like ours. */
async function besideLlama(model: string, folder: string, source: number, copy: number): Promise<void> {
  try {
    const libraries = llamaLibraries();
    const plain = join(folder, "plain");
    exportOnce(model, "gguf", { ...RECIPES.gguf, ignore: ["*"] }, plain);
    const [input = ""] = (await readdir(plain)).filter((name) => name.endsWith(".gguf"));
    const output = join(folder, "llama.gguf");
    const started = performance.now();
    llama(libraries, { quantize: { input: join(plain, input), output, type: "Q4_0" } });
    const seconds = (performance.now() - started) / 1000;
    const { size } = await stat(output);
    say(
      `| llama.cpp ${libraries.versions["llama.cpp"] ?? ""}, quantize to Q4_0, all cores | ${rate(source, seconds)} | ${percent(copy, seconds)} | ${seconds.toFixed(1)} | | ${giga(size)} | |`,
    );
  } catch (error) {
    say(`llama.cpp is not at hand: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function copySeconds(from: string, to: string): Promise<number> {
  const started = performance.now();
  for (const name of await readdir(from)) {
    const path = `${to}-${name}`;
    await pipeline(
      createReadStream(join(from, name), { highWaterMark: 1 << 22 }),
      createWriteStream(path, { flush: true }),
    );
    await rm(path);
  }
  return (performance.now() - started) / 1000;
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}

function rate(bytes: number, seconds: number): string {
  return (bytes / seconds / 1e9).toFixed(2);
}

function giga(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
