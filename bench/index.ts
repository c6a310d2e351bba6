import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { machineLine } from "./machine.ts";

interface Bench {
  file: string;
  args?: readonly string[];
  says: string;
  /** Part of a run without names. */
  quick: boolean;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  quantize: { file: "quantize.ts", says: "quantize-dequantize per core beside a memory copy", quick: true },
  pack: { file: "pack.ts", says: "codes and bytes of every format's schemes per core", quick: true },
  forward: { file: "forward.ts", says: "the layer-streamed forward pass beside its GEMMs", quick: true },
  sweep: {
    file: "sweep.ts",
    says: "a sweep's wall time beside the pure GEMM time of its shapes",
    quick: true,
  },
  window: {
    file: "window.ts",
    says: "the window in Chromium: interactions during a sweep, a 7 B overview, 10,000 results (needs a build)",
    quick: true,
  },
  open: {
    file: "open.ts",
    says: "the overview of a 70 B-shaped checkpoint (141 GB of holes) in under two seconds",
    quick: true,
  },
  "window-model": {
    file: "windowModel.ts",
    says: "the window while SmolLM2-135M is searched and swept: inputs and long tasks, screen by screen (needs a build)",
    quick: false,
  },
  detect: {
    file: "detect.ts",
    says: "detection by effect beside evidence alone, and beside scoring weights one by one",
    quick: true,
  },
  "seven-b": {
    file: "sevenB.ts",
    says: "detection by evidence on a 7 B-shaped checkpoint in under 4 GB of memory (writes 13.5 GB)",
    quick: false,
  },
  exports: {
    file: "exports.ts",
    says: "export of a 1 B-shaped checkpoint to every format beside a copy and llama.cpp (writes 2.2 GB and more)",
    quick: false,
  },
  "exports-7b": {
    file: "exports.ts",
    args: ["7b"],
    says: "the same of a 7 B-shaped one, in under 3 GB of memory (writes 27 GB)",
    quick: false,
  },
};

/** Runs the named benches, or the quick ones, each in a process of its own so that no peak hides behind another's. */
function runBenches(names: readonly string[]): number {
  const unknown = names.find((name) => !(name in BENCHES));
  if (unknown !== undefined) {
    const known = Object.entries(BENCHES).map(([name, { says }]) => `  ${name.padEnd(10)} ${says}`);
    process.stderr.write(`Unknown bench "${unknown}". Known:\n${known.join("\n")}\n`);
    return 2;
  }
  const chosen = Object.entries(BENCHES).filter(([name, { quick }]) =>
    names.length === 0 ? quick : names.includes(name),
  );
  process.stdout.write(`${machineLine()}\n`);
  let failures = 0;
  for (const [name, { file, args = [], says }] of chosen) {
    process.stdout.write(`\n== ${name}: ${says}\n`);
    const path = join(import.meta.dirname, file);
    if (!existsSync(path)) throw new Error(`${path} is missing.`);
    const { status } = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", path, ...args], {
      stdio: "inherit",
    });
    if (status !== 0) failures++;
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = runBenches(process.argv.slice(2));
