import type { RangeRule } from "#shared/recipe.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { normalFloat } from "../../../src/engine/quantize/schemes/normalFloatLevels.ts";
import type { TensorPlan } from "../../../src/engine/quantize/plan/tensorPlan.ts";

/*
 * The method once more, written from its equations one weight at a time, slow and without any of the fast path's devices
 * (tables, working order, bit patterns, selection). The tests hold the fast path to it bit for bit.
 */

const { fround } = Math;

/** ŵ of a tensor: hold-out, clip, range, rounding, storage type, restore; and how many weights clipping changed. */
export function referenceQuantizeDequantize(
  weights: Float32Array,
  plan: TensorPlan,
): { out: Float32Array; clipped: number } {
  const restored = referenceRestored(weights, plan);
  const blocks = referenceBlocks(plan);
  const working = Array.from(weights);
  if (plan.excludeFromRange) for (const block of blocks) excludeFromRange(working, block, restored);
  const ofTensor =
    plan.range?.method === "tensor-percentage"
      ? kthLargest(working, Math.max(Math.floor(working.length * plan.range.threshold), 1))
      : null;
  const out = new Float32Array(weights.length);
  let clipped = 0;
  for (const block of blocks) {
    const before = block.map((index) => working[index]);
    const threshold = plan.range ? (ofTensor ?? referenceThreshold(plan.range, before, plan)) : Infinity;
    const after = before.map((w) => Math.min(Math.max(w, -threshold), threshold));
    clipped += after.filter((w, i) => w !== before[i]).length;
    schemeRoundTrip(after, plan).forEach((value, i) => (out[block[i]] = toStorage(value, plan.storage)));
  }
  for (const index of restored) out[index] = weights[index];
  return { out, clipped };
}

/** The row-major indices of every block, in block order. */
export function referenceBlocks({ rows, columns, granularity }: TensorPlan): number[][] {
  const blockOf = (row: number, column: number): number => {
    const index = row * columns + column;
    switch (granularity.kind) {
      case "group":
        return row * Math.ceil(columns / granularity.size) + Math.floor(column / granularity.size);
      case "channel":
        return row;
      case "tensor":
        return 0;
      case "flat":
        return Math.floor(index / granularity.size);
      case "tile":
        return (
          Math.floor(row / granularity.rows) * (columns / granularity.columns) +
          Math.floor(column / granularity.columns)
        );
    }
  };
  const blocks: number[][] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      (blocks[blockOf(row, column)] ??= []).push(row * columns + column);
  }
  return blocks;
}

function referenceRestored(weights: Float32Array, { restore }: TensorPlan): Set<number> {
  if ("indices" in restore) return new Set(restore.indices);
  const byMagnitude = Array.from(weights.keys()).sort(
    (a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || a - b,
  );
  return new Set(byMagnitude.slice(0, restore.largest));
}

function excludeFromRange(working: number[], block: readonly number[], held: ReadonlySet<number>): void {
  const others = block.filter((index) => !held.has(index)).map((index) => working[index]);
  others.sort((a, b) => a - b);
  const middle = others.length / 2;
  const median =
    others.length === 0 ? 0 : fround((others[Math.ceil(middle) - 1] + others[Math.floor(middle)]) / 2);
  for (const index of block) if (held.has(index)) working[index] = median;
}

function referenceThreshold(range: RangeRule, block: readonly number[], plan: TensorPlan): number {
  const magnitudes = block.map(Math.abs);
  const n = magnitudes.length;
  switch (range.method) {
    case "zscore": {
      const mean = laneSum(magnitudes) / n;
      const squares = laneSum(magnitudes.map((m) => (m - mean) * (m - mean)));
      return fround(mean + range.threshold * (n > 1 ? Math.sqrt(squares / (n - 1)) : 0));
    }
    case "block-percentage":
      return kthLargest(block, Math.min(Math.max(Math.floor(n * range.threshold + 1), 1), n));
    case "iqr": {
      const [lower, upper] = [linearQuantile(magnitudes, 0.25), linearQuantile(magnitudes, 0.75)];
      return fround(upper + range.threshold * (upper - lower));
    }
    case "mse":
      return leastErrorThreshold(block, plan);
    case "tensor-percentage":
      throw new Error("The threshold of tensor-percentage is the tensor's, not a block's.");
  }
}

/** The order of every sum: value i into sum i mod 4, then (0 + 2) + (1 + 3). */
function laneSum(values: readonly number[]): number {
  const sums = [0, 0, 0, 0];
  values.forEach((value, i) => (sums[i % 4] += value));
  return sums[0] + sums[2] + (sums[1] + sums[3]);
}

function kthLargest(values: readonly number[], k: number): number {
  return values.map(Math.abs).sort((a, b) => b - a)[k - 1];
}

function linearQuantile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

function leastErrorThreshold(block: readonly number[], plan: TensorPlan): number {
  const largest = Math.max(...block.map(Math.abs));
  let best = { error: Infinity, threshold: largest };
  for (let percent = 100; percent >= 50; percent--) {
    const threshold = fround((percent / 100) * largest);
    const restored = schemeRoundTrip(
      block.map((w) => Math.min(Math.max(w, -threshold), threshold)),
      plan,
    );
    const error = laneSum(block.map((w, i) => (w - restored[i]) * (w - restored[i])));
    if (error < best.error) best = { error, threshold };
  }
  return best.threshold;
}

/** A block through its scheme, in f32, before the storage type. */
function schemeRoundTrip(block: readonly number[], plan: TensorPlan): number[] {
  const low = Math.min(...block);
  const high = Math.max(...block);
  switch (plan.scheme) {
    case "affine":
      return rtn(block, low, high, 2 ** plan.bits - 1);
    case "int":
      return plan.symmetric
        ? intSymmetric(block, low, high, plan.bits)
        : intAsymmetric(block, low, high, plan.bits);
    case "compressed-tensors":
      return compressedTensors(block, low, high, plan);
    case "gptq-int":
    case "awq-int":
      return gptqOrAwq(block, low, high, plan);
    case "nf4":
    case "nf3": {
      const scale = f16Scale(Math.max(-low, high));
      return block.map((w) => fround(nearest(fround(w / scale), plan.bits) * scale));
    }
    case "nf4-minmax":
    case "nf3-minmax": {
      if (low === high) return [...block];
      const scale = Math.min(fround(2 / fround(high - low)), LARGEST_F32);
      const normalized = block.map((w) => fround(fround(fround(w - low) * scale) - 1));
      return normalized.map((x) => fround(fround(fround(nearest(x, plan.bits) + 1) / scale) + low));
    }
    case "q4_0":
    case "q5_0":
      return ggufSigned(block, 2 ** (plan.bits - 1));
    case "q4_1":
    case "q5_1":
      return ggufAffine(block, low, high, 2 ** plan.bits - 1);
    case "fp8_e4m3":
      return fp8(block);
    case "q8_0":
      return q8(block);
    case "matmulnbits":
      return matMulNBits(block, low, high, plan);
    case "mlx":
      return mlx(block, low, high, plan);
    case "f16":
      return block.map(Math.f16round);
    case "bf16":
      return block.map(bf16);
    default:
      throw new RangeError(
        `${plan.scheme} is held to ggml's own bytes instead (test/gguf/superBlocks.test.ts)`,
      );
  }
}

/** The nearer of the two BF16 values around a number; of two equally near ones that whose last bit is 0. */
function bf16(w: number): number {
  const bits = new Uint32Array(Float32Array.of(w).buffer)[0];
  const toward0 = bits & 0xffff0000;
  const valueOf = (pattern: number): number => new Float32Array(Uint32Array.of(pattern).buffer)[0];
  const [near, far] = [valueOf(toward0), valueOf(toward0 + 0x10000)];
  const [down, up] = [Math.abs(w - near), Math.abs(far - w)];
  if (down === up) return (toward0 & 0x10000) === 0 ? near : far;
  return down < up ? near : far;
}

const LARGEST_F32 = fround(3.4028234663852886e38);

function rtn(block: readonly number[], low: number, high: number, steps: number): number[] {
  if (low === high) return [...block];
  const scale = Math.min(fround(fround(1 / fround(high - low)) * steps), LARGEST_F32);
  return block.map((w) => fround(fround(roundHalfEven(fround(fround(w - low) * scale)) / scale) + low));
}

function intAsymmetric(block: readonly number[], low: number, high: number, bits: number): number[] {
  const largest = 2 ** bits - 1;
  const [bottom, top] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = f16Scale(fround(fround(top - bottom) / largest));
  const limit = (q: number): number => Math.min(Math.max(q, 0), largest);
  const zero = limit(roundHalfEven(fround(-bottom / scale)));
  return block.map((w) => fround((limit(roundHalfEven(fround(w / scale)) + zero) - zero) * scale));
}

function intSymmetric(block: readonly number[], low: number, high: number, bits: number): number[] {
  const largest = 2 ** (bits - 1) - 1;
  const scale = f16Scale(fround(Math.max(-low, high) / largest));
  return block.map((w) =>
    fround(Math.min(Math.max(roundHalfEven(fround(w / scale)), -largest), largest) * scale),
  );
}

/** ggml's own formulae: codes with the f32 scale, values with the f16 one. */
function ggufSigned(block: readonly number[], half: number): number[] {
  const largest = block.reduce((most, w) => (Math.abs(w) > Math.abs(most) ? w : most), 0);
  const d = fround(largest / -half);
  const inverse = reciprocal(d);
  return block.map((w) => {
    const code = Math.min(wholePart(fround(fround(w * inverse) + (half + 0.5))), 2 * half - 1);
    return fround((code - half) * ggufConstant(d));
  });
}

function ggufAffine(block: readonly number[], low: number, high: number, largest: number): number[] {
  const d = fround(fround(high - low) / largest);
  const inverse = reciprocal(d);
  return block.map((w) => {
    const code = Math.min(wholePart(fround(fround(fround(w - low) * inverse) + 0.5)), largest);
    return fround(fround(code * ggufConstant(d)) + ggufConstant(low));
  });
}

/** Nearest of all values of float8_e4m3fn to w/scale, ties to the even byte. */
function fp8(block: readonly number[]): number[] {
  const scale = fround(Math.max(...block.map(Math.abs)) / 448) || 1;
  const values = Array.from({ length: 127 }, (_, byte) =>
    byte < 8 ? byte * 2 ** -9 : (1 + (byte & 7) / 8) * 2 ** ((byte >> 3) - 7),
  );
  return block.map((w) => {
    const x = fround(w / scale);
    const distances = values.map((value) => Math.abs(value - Math.abs(x)));
    const least = Math.min(...distances);
    const nearest = values.filter((_, byte) => distances[byte] === least);
    const even = nearest.find((value) => values.indexOf(value) % 2 === 0);
    return fround(Math.sign(x) * (even ?? nearest[0]) * scale);
  });
}

function q8(block: readonly number[]): number[] {
  const d = fround(Math.max(...block.map(Math.abs)) / 127);
  const inverse = reciprocal(d);
  return block.map((w) => {
    const scaled = fround(w * inverse);
    return fround(wholePart(scaled < 0 ? scaled - 0.5 : scaled + 0.5) * ggufConstant(d));
  });
}

function reciprocal(d: number): number {
  return d === 0 ? 0 : fround(1 / d);
}

/** Truncated; 0 for what is no number or infinite. */
function wholePart(x: number): number {
  return Number.isFinite(x) ? Math.trunc(x) : 0;
}

function ggufConstant(value: number): number {
  const rounded = Math.f16round(value);
  if (!Number.isFinite(rounded)) throw new RangeError(`${value} is past f16`);
  return rounded;
}

/** calculate_qparams, quantize and dequantize of compressed-tensors on f32 tensors, scale_dtype the plan's. */
function compressedTensors(block: readonly number[], low: number, high: number, plan: TensorPlan): number[] {
  const [least, most] = [-(2 ** (plan.bits - 1)), 2 ** (plan.bits - 1) - 1];
  const limit = (q: number): number => Math.min(Math.max(q, least), most);
  const [bottom, top] = [Math.min(low, 0), Math.max(high, 0)];
  const exact = plan.symmetric
    ? fround(Math.max(-bottom, top) / ((most - least) / 2))
    : fround(fround(top - bottom) / (most - least));
  const rounded = toStorage(exact, plan.storage);
  const epsilon = { F32: 2 ** -23, F16: 2 ** -10, BF16: 2 ** -7 }[plan.storage];
  const scale = rounded === 0 ? epsilon : rounded;
  if (!Number.isFinite(scale)) throw new RangeError(`scale ${scale}`);
  const zero =
    plan.symmetric || exact === 0 ? 0 : roundHalfEven(limit(fround(least - fround(bottom / exact))));
  return block.map((w) => {
    const code = roundHalfEven(limit(fround(fround(w / scale) + zero)));
    return fround((code - zero) * scale);
  });
}

/** GPTQ's Quantizer.find_params and AutoAWQ's pseudo_quantize_tensor with a range that holds 0, stored as half. */
function gptqOrAwq(block: readonly number[], low: number, high: number, plan: TensorPlan): number[] {
  const most = 2 ** plan.bits - 1;
  const limit = (q: number): number => Math.min(Math.max(q, 0), most);
  const blank = plan.scheme === "gptq-int" && low === 0 && high === 0;
  const [bottom, top] = blank ? [-1, 1] : [Math.min(low, 0), Math.max(high, 0)];
  const largest = Math.max(-bottom, top);
  const range = plan.symmetric ? fround(2 * largest) : fround(top - bottom);
  const exact = fround((plan.scheme === "awq-int" ? Math.max(range, fround(1e-5)) : range) / most);
  const stored = Math.f16round(plan.storage === "BF16" ? toStorage(exact, "BF16") : exact);
  if (!Number.isFinite(stored)) throw new RangeError(`scale ${exact} is past f16`);
  const scale = stored === 0 ? 2 ** -24 : stored;
  const divisor = stored === 0 ? scale : exact;
  const zero = plan.symmetric ? (most + 1) / 2 : limit(roundHalfEven(fround(-bottom / divisor)));
  return block.map((w) => fround((limit(roundHalfEven(fround(w / divisor)) + zero) - zero) * scale));
}

/** mlx.core.quantize and dequantize: the edge that is farther from 0 is a whole number of steps. */
function mlx(block: readonly number[], low: number, high: number, plan: TensorPlan): number[] {
  const most = 2 ** plan.bits - 1;
  const step = Math.max(fround(fround(high - low) / most), fround(1e-7));
  const edge = Math.abs(low) > Math.abs(high) ? low : high;
  const first = Math.abs(low) > Math.abs(high) ? step : -step;
  const steps = roundHalfEven(fround(edge / first));
  const scale = steps === 0 ? first : fround(edge / steps);
  const bias = steps === 0 ? 0 : edge;
  const [storedScale, storedBias] = [toStorage(scale, plan.storage), toStorage(bias, plan.storage)];
  return block.map((w) => {
    const code = Math.min(Math.max(roundHalfEven(fround(fround(w - bias) / scale)), 0), most);
    return fround(toStorage(fround(code * storedScale), plan.storage) + storedBias);
  });
}

/** onnxruntime's range2scalezp and quantize for MatMulNBits, which multiply by 1/scale and round halves away from 0. */
function matMulNBits(block: readonly number[], low: number, high: number, plan: TensorPlan): number[] {
  const most = 2 ** plan.bits - 1;
  const limit = (q: number): number => Math.min(Math.max(q, 0), most);
  const away = (x: number): number => Math.sign(x) * Math.round(Math.abs(x));
  const extreme = Math.abs(high) > Math.abs(low) ? high : low;
  const range = fround(Math.max(high, 0) - Math.min(low, 0));
  const scale = plan.symmetric ? fround(-extreme / ((most + 1) / 2)) : fround(range / most);
  if (!Number.isFinite(scale)) throw new RangeError(`scale ${scale}`);
  const inverse = fround(1 / scale);
  if (!Number.isFinite(inverse)) return block.map(() => 0);
  const zero = plan.symmetric ? (most + 1) / 2 : limit(away(fround(-Math.min(low, 0) / scale)));
  return block.map((w) => fround((limit(away(fround(fround(w * inverse) + zero))) - zero) * scale));
}

function f16Scale(scale: number): number {
  const rounded = Math.f16round(scale);
  if (!Number.isFinite(rounded)) throw new RangeError(`scale ${scale} is past f16`);
  return rounded === 0 ? 2 ** -24 : rounded;
}

function nearest(x: number, bits: number): number {
  return normalFloat(bits).levels.reduce((best, level) =>
    Math.abs(x - level) < Math.abs(x - best) ? level : best,
  );
}

/** Nearest integer, ties to the even one. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return fraction < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function toStorage(value: number, storage: StorageType): number {
  if (storage === "F16") return Math.f16round(value);
  if (storage === "F32") return value;
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value);
  const pattern = bytes.getUint32(0);
  const [below, above] = [pattern & 0xffff0000, (pattern & 0xffff0000) + 0x10000].map((candidate) => {
    bytes.setUint32(0, candidate >>> 0);
    return bytes.getFloat32(0);
  });
  const [down, up] = [Math.abs(value - below), Math.abs(above - value)];
  if (down === up) return (pattern >>> 16) % 2 === 0 ? below : above;
  return down < up ? below : above;
}
