/**
 * Quantize-dequantize throughput of one core beside a plain memory copy of the same bytes, in the same run.
 * usage: node bench/quantize.ts [million weights, default 16]
 */
import { cpus, loadavg } from "node:os";
import { parseBlock, type Clip, type CodecName } from "#shared/recipe.ts";
import { clipLabel, codecLabel } from "#shared/recipeText.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import type { TensorPlan } from "#engine/quantize/types.ts";

const COLUMNS = 4096;
const REPEATS = 5;
/** mse tries 51 thresholds a block: it gets fewer weights. */
const MSE_SHARE = 16;

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

function measured(
  codec: CodecName,
  bits: number,
  symmetric: boolean,
  block: string,
  clip: Clip | null,
): number {
  const planRows = clip?.method === "mse" ? rows / MSE_SHARE : rows;
  const plan: TensorPlan = {
    name: "bench",
    layer: 0,
    rows: planRows,
    columns: COLUMNS,
    codec,
    bits,
    symmetric,
    block: parseBlock(block),
    clip,
    restore: { indices: [] },
    holdOut: false,
    storage: "F16",
  };
  const count = planRows * COLUMNS;
  const [from, to] = [weights.subarray(0, count), out.subarray(0, count)];
  return nanosecondsPerWeight(count, () => quantizeDequantize(from, plan, to));
}

function print(name: string, block: string, clip: string, nanoseconds: number, copy: number): void {
  const cells = [
    name.padEnd(12),
    block.padEnd(14),
    clip.padEnd(20),
    (1000 / nanoseconds).toFixed(1).padStart(9),
    nanoseconds.toFixed(2).padStart(10),
    `${(nanoseconds / copy).toFixed(1)} ×`.padStart(9),
  ];
  console.log(cells.join(" "));
}

const CODECS = [
  ["rtn", 4, false],
  ["rtn", 8, false],
  ["int", 4, false],
  ["int", 4, true],
  ["nf4", 4, false],
  ["nf3", 3, false],
  ["nf4-minmax", 4, false],
] as const;
const BLOCKS = ["group:32", "group:64", "group:128", "channel", "flat:16384", "tensor", "tile:16x64"];
const CLIPS: Clip[] = [
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
console.log(
  ["codec".padEnd(12), "block".padEnd(14), "clip".padEnd(20), "M weights/s", "ns/weight", "of copy"].join(
    " ",
  ),
);

const copy = nanosecondsPerWeight(weights.length, () => out.set(weights));
print("memory copy", "", "", copy, copy);
for (const [codec, bits, symmetric] of CODECS) {
  for (const block of BLOCKS)
    print(
      codecLabel({ codec, bits, symmetric }),
      block,
      "",
      measured(codec, bits, symmetric, block, null),
      copy,
    );
}
for (const block of ["group:64", "flat:16384"]) {
  for (const clip of CLIPS)
    print("rtn4", block, clipLabel(clip), measured("rtn", 4, false, block, clip), copy);
}
