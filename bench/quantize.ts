/**
 * Throughput of `rtn`, quantized and dequantized on one core, SIMD kernels and scalar twin, beside a plain memory copy of the same bytes, in the
 * same run.
 * usage: node bench/quantize.ts [million weights, default 16]
 */
import { cpus, loadavg } from "node:os";
import { parseGranularity, type RangeRule, type SchemeName } from "#shared/recipe.ts";
import { rangeLabel, schemeLabel } from "#shared/recipeText.ts";
import { kernels } from "#engine/numeric/kernels/kernels.ts";
import { scalarPass } from "#engine/quantize/passes/scalarPass.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";

const COLUMNS = 4096;
const REPEATS = 5;
/** mse tries 51 thresholds a block: it gets fewer weights, and the scalar twin fewer still. */
const MSE_SHARE = 16;
const SCALAR_MSE_SHARE = 256;

requireKernels();
const rows = Math.max(16, Math.round(((Number(process.argv[2] ?? 16) || 16) * 2 ** 20) / COLUMNS / 16) * 16);
const weights = normalWeights(rows * COLUMNS);
const out = new Float32Array(weights.length);

/** Approximately normal, standard deviation about 0.02, f16 values. */
function normalWeights(count: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  };
  return Float32Array.from({ length: count }, () =>
    Math.f16round(0.017 * (uniform() + uniform() + uniform() + uniform())),
  );
}

function requireKernels(): void {
  if (!kernels()) throw new Error("WebAssembly SIMD is missing here: there is nothing to compare.");
}

/** Least CPU nanoseconds a weight over the repeats; CPU time, so that other processes on the machine count less. */
function nanosecondsPerWeight(count: number, work: () => void): number {
  let least = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, ((user + system) * 1000) / count);
  }
  return least;
}

interface Timed {
  readonly simd: number;
  readonly scalar: number;
}

function measured(
  scheme: SchemeName,
  bits: number,
  symmetric: boolean,
  granularity: string,
  range: RangeRule | null,
): Timed {
  const timed = (
    share: number,
    pass: (from: Float32Array, plan: TensorPlan, to: Float32Array) => unknown,
  ): number => {
    const planRows = Math.max(16, Math.round(rows / share / 16) * 16);
    const count = planRows * COLUMNS;
    const plan: TensorPlan = {
      name: "bench",
      layer: 0,
      rows: planRows,
      columns: COLUMNS,
      scheme,
      bits,
      symmetric,
      granularity: parseGranularity(granularity),
      range,
      method: "rtn",
      restore: { indices: [] },
      excludeFromRange: false,
      storage: "F16",
    };
    const [from, to] = [weights.subarray(0, count), out.subarray(0, count)];
    return nanosecondsPerWeight(count, () => pass(from, plan, to));
  };
  const search = range?.method === "mse";
  return {
    simd: timed(search ? MSE_SHARE : 1, quantizeDequantize),
    scalar: timed(search ? SCALAR_MSE_SHARE : 1, scalarPass),
  };
}

const COLUMN_WIDTHS = [12, 14, 20, 12, 10, 9, 14, 9] as const;

function printCells(cells: readonly string[]): void {
  console.log(
    cells
      .map((cell, i) => (i < 3 ? cell.padEnd(COLUMN_WIDTHS[i]) : cell.padStart(COLUMN_WIDTHS[i])))
      .join(" "),
  );
}

function print(name: string, granularity: string, clip: string, { simd, scalar }: Timed): void {
  printCells([
    name,
    granularity,
    clip,
    (1000 / simd).toFixed(1),
    simd.toFixed(2),
    `${(simd / copy).toFixed(1)} ×`,
    scalar.toFixed(2),
    `${(scalar / simd).toFixed(1)} ×`,
  ]);
}

const SCHEMES = [
  ["affine", 4, false],
  ["affine", 8, false],
  ["int", 4, false],
  ["int", 4, true],
  ["nf4", 4, false],
  ["nf3", 3, false],
  ["nf4-minmax", 4, false],
] as const;
const BLOCKS = ["group:32", "group:64", "group:128", "channel", "flat:16384", "tensor", "tile:16x64"];
const CLIPS: RangeRule[] = [
  { method: "zscore", threshold: 9 },
  { method: "block-percentage", threshold: 0.001 },
  { method: "tensor-percentage", threshold: 1e-6 },
  { method: "iqr", threshold: 3 },
  { method: "mse" },
];

const [processor] = cpus();
console.log(
  `${processor?.model ?? "unknown processor"}, ${cpus().length} cores, node ${process.version}, load ${loadavg()[0].toFixed(1)}`,
);
console.log(
  `${(weights.length / 1e6).toFixed(1)} M weights (f32), ${rows} × ${COLUMNS}, storage F16, one core, best of ${REPEATS}, CPU time\n`,
);
printCells(["scheme", "granularity", "range", "M weights/s", "ns/weight", "of copy", "scalar ns", "gain"]);

const copy = nanosecondsPerWeight(weights.length, () => out.set(weights));
printCells(["memory copy", "", "", (1000 / copy).toFixed(1), copy.toFixed(2), "1.0 ×", "", ""]);
for (const [scheme, bits, symmetric] of SCHEMES) {
  for (const granularity of BLOCKS)
    print(
      schemeLabel({ scheme, bits, symmetric }),
      granularity,
      "",
      measured(scheme, bits, symmetric, granularity, null),
    );
}
for (const granularity of ["group:64", "channel", "flat:16384", "tensor"]) {
  for (const range of CLIPS)
    print("affine4", granularity, rangeLabel(range), measured("affine", 4, false, granularity, range));
}
for (const [scheme, bits, symmetric] of SCHEMES.slice(1)) {
  for (const granularity of ["group:64", "channel"])
    print(
      schemeLabel({ scheme, bits, symmetric }),
      granularity,
      "mse",
      measured(scheme, bits, symmetric, granularity, { method: "mse" }),
    );
}
