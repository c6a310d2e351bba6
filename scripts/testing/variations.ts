// Runs tests under every way of computing that this machine can be brought to: what holds on one of them alone fails here.
//   node scripts/testing/variations.ts PATH…
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeNarrowRuntime, type Registers } from "./narrowRuntime.ts";
import { vitestStep } from "./vitestStep.ts";

const PRELOAD = pathToFileURL(join(import.meta.dirname, "variedRuntime.mjs")).href;
const scratch = mkdtempSync(join(tmpdir(), "keystone-variations-"));

/** Sessions that are opened otherwise than the engine asks for. */
function opened(settings: { threads?: number; optimization?: string }): Record<string, string> {
  const { threads, optimization } = settings;
  return {
    NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --import=${PRELOAD}`.trim(),
    ...(threads === undefined ? {} : { KEYSTONE_TEST_THREADS: String(threads) }),
    ...(optimization === undefined ? {} : { KEYSTONE_TEST_OPTIMIZATION: optimization }),
  };
}

/** A runtime that takes the processor for an older one. */
function narrow(registers: Registers): Record<string, string> {
  const folder = join(scratch, registers);
  mkdirSync(folder);
  writeNarrowRuntime(folder, registers);
  return { LD_LIBRARY_PATH: [folder, process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(":") };
}

const variations: [name: string, environment: Record<string, string>][] = [
  ["one thread", opened({ threads: 1 })],
  ["three threads, basic optimisations of graphs", opened({ threads: 3, optimization: "basic" })],
  ["graphs as they are written", opened({ optimization: "disabled" })],
];
if (process.platform === "linux" && process.arch === "x64") {
  variations.push(["without AVX-512", narrow("avx2")]);
  variations.push(["SSE alone", narrow("sse")]);
} else console.log("Only Linux on x64 can be brought to compute as an older processor.");

let failed = 0;
const lines: string[] = [];
for (const [name, environment] of variations) {
  console.log(`\n── ${name}`);
  const count = await vitestStep({
    filters: process.argv.slice(2),
    scratch,
    again: false,
    options: { environment },
  });
  lines.push(`${name}: ${count.passed} passed, ${count.failed} failed`);
  failed += count.failed;
}
rmSync(scratch, { recursive: true });
console.log(`\n${lines.join("\n")}`);
process.exitCode = failed === 0 ? 0 : 1;
