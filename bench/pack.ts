/**
 * What an export does with weights that are in memory, on one core: codes and constants by SIMD kernels and by their scalar twin, and
 * the packing of the codes into each format's bytes. CPU time, best of five.
 * usage: node bench/pack.ts
 */
import { loadavg } from "node:os";
import { packBlocks } from "#engine/formats/gguf/write/packBlocks.ts";
import { packParts } from "#engine/formats/onnx/write/packParts.ts";
import { awqLayout } from "#engine/formats/packed/write/awqLayout.ts";
import { compressedTensorsLayout } from "#engine/formats/packed/write/compressedTensorsLayout.ts";
import { gptqLayout } from "#engine/formats/packed/write/gptqLayout.ts";
import { scalarPack } from "#engine/quantize/passes/scalarPack.ts";
import { quantize, type Packed } from "#engine/quantize/quantize.ts";
import { testPlan, testWeights } from "../test/support/quantize/testPlan.ts";
import type { SchemeName } from "#shared/recipe.ts";
import { machineLine } from "./machine.ts";

/** TinyLlama's `down_proj`. */
const [ROWS, COLUMNS] = [2048, 5632];
const REPEATS = 5;

const GGUF = (
  [
    ["q4_0", 4],
    ["q4_1", 4],
    ["q5_0", 5],
    ["q5_1", 5],
    ["q8_0", 8],
  ] as const
).map(([scheme, bits]) => ({
  ...{ scheme, bits, symmetric: false, granularity: "group:32", storage: "F32" as const },
  pack: (packed: Packed) => packBlocks(scheme.toUpperCase() as Parameters<typeof packBlocks>[0], packed),
}));
const PACKED = [
  {
    scheme: "compressed-tensors",
    symmetric: true,
    pack: (packed: Packed) => compressedTensorsLayout.pack(packed),
  },
  { scheme: "gptq-int", symmetric: true, pack: (packed: Packed) => gptqLayout(1).pack(packed) },
  { scheme: "awq-int", symmetric: false, pack: (packed: Packed) => awqLayout.pack(packed) },
] as const satisfies readonly { scheme: SchemeName; symmetric: boolean; pack: (packed: Packed) => unknown }[];
const CASES = [
  ...GGUF,
  ...PACKED.map((each) => ({ ...each, bits: 4, granularity: "group:128", storage: "BF16" as const })),
  ...[4, 8].map((bits) => ({
    ...{
      scheme: "matmulnbits" as const,
      bits,
      symmetric: false,
      granularity: "group:32",
      storage: "F32" as const,
    },
    pack: packParts,
  })),
];

const weights = testWeights(ROWS * COLUMNS);
const codes = new Uint8Array(weights.length);
console.log(`${machineLine()}; load ${loadavg()[0].toFixed(1)}`);
console.log("| scheme, block | codes, ns a weight | scalar, ns | bytes, ns |\n|---|---:|---:|---:|");
for (const { pack, ...recipe } of CASES) {
  const plan = testPlan({ rows: ROWS, columns: COLUMNS }, recipe);
  const scalar = nanoseconds(() => scalarPack(weights, plan, new Uint32Array(), codes));
  const simd = nanoseconds(() => quantize(weights, plan, codes));
  const packed = quantize(weights, plan, codes);
  const bytes = nanoseconds(() => pack(packed));
  const name = `${recipe.scheme}, ${recipe.bits} bits, \`${recipe.granularity}\``;
  console.log(`| ${name} | ${simd.toFixed(1)} | ${scalar.toFixed(1)} | ${bytes.toFixed(1)} |`);
}

/** Least CPU nanoseconds a weight over the repeats. */
function nanoseconds(work: () => unknown): number {
  let least = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, ((user + system) * 1000) / weights.length);
  }
  return least;
}
