import { blockEnd, blockLayout, blockStart, fromTileOrder } from "../plan/blockLayout.ts";
import { blockFitter, decodeStored, prepareWeights } from "./blockPass.ts";
import { createScheme } from "../schemes/createScheme.ts";
import { assertFinite, storageOverflow } from "../plan/overflow.ts";
import { restoredIndices } from "../plan/restoreWeights.ts";
import { ErrorSums, type QuantizationStatistics } from "../plan/statistics.ts";
import { bitsOf } from "#engine/numeric/halfTypes.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";

/** Weights encoded and decoded at once: codes and values stay in cache. */
const CHUNK = 16384;
const codes = new Uint8Array(CHUNK);

/**
 * {@link quantizeDequantize} one weight at a time: the reference of the SIMD kernels, and what runs where there are none.
 * @throws KeystoneError quantize/not-finite, quantize/scale-overflow, quantize/range-overflow, quantize/storage-overflow
 */
export function scalarPass(
  weights: Float32Array,
  plan: TensorPlan,
  out: Float32Array,
): QuantizationStatistics {
  const restored = restoredIndices(weights, plan);
  const sums = new ErrorSums();
  let clipped: number;
  try {
    clipped =
      plan.granularity.kind === "tile"
        ? byTile(weights, plan, restored, out, sums)
        : byRun(weights, plan, restored, out, sums);
  } catch (error) {
    // An infinite weight overflows its block's constants first; the weight itself is the better thing to name.
    assertFinite(weights, plan);
    throw error;
  }
  if (!Number.isFinite(sums.sumSquaredError)) {
    assertFinite(weights, plan);
    throw storageOverflow(plan.name, plan.storage);
  }
  return sums.whole(plan, { clipped, restored: restored.length });
}

/** Blocks that are runs of the row-major tensor: encoded, decoded, restored and measured a chunk at a time. */
function byRun(
  weights: Float32Array,
  plan: TensorPlan,
  restored: Uint32Array,
  out: Float32Array,
  sums: ErrorSums,
): number {
  const source = prepareWeights(weights, plan, restored, out);
  let begin = 0;
  let next = 0;
  return roundTrip(source, plan, out, (end) => {
    for (; next < restored.length && restored[next] < end; next++)
      out[restored[next]] = weights[restored[next]];
    sums.add(weights, out, begin, end);
    begin = end;
  });
}

/** Tiles: the same on a copy in tile order, restored and measured when it is back in row-major order. */
function byTile(
  weights: Float32Array,
  plan: TensorPlan,
  restored: Uint32Array,
  out: Float32Array,
  sums: ErrorSums,
): number {
  const tiles = new Float32Array(out.length);
  const source = prepareWeights(weights, plan, restored, tiles);
  const clipped = roundTrip(source, plan, tiles, () => undefined);
  fromTileOrder(tiles, plan, out);
  for (const index of restored) out[index] = weights[index];
  sums.add(weights, out, 0, out.length);
  return clipped;
}

/**
 * target = the scheme's ŵ of `source`, block after block (they may be the same array); nothing is restored yet.
 * @param done called with the end of what is finished, about every CHUNK weights and at the end
 * @returns how many weights clipping changed
 */
function roundTrip(
  source: Float32Array,
  plan: TensorPlan,
  target: Float32Array,
  done: (end: number) => void,
): number {
  const layout = blockLayout(plan);
  const bits = bitsOf(target);
  const scheme = createScheme(plan, 1);
  const fitter = blockFitter(scheme, plan, source, null);
  let clipped = 0;
  let reported = 0;
  for (let block = 0; block < layout.count; block++) {
    const from = blockStart(layout, block);
    const to = blockEnd(layout, from);
    clipped += fitter.fit(0, from, to);
    for (let start = from; start < to; start += CHUNK) {
      const end = Math.min(start + CHUNK, to);
      scheme.encode(0, source, start, end, codes, 0);
      decodeStored(scheme, 0, codes, 0, end - start, target, bits, start, plan.storage);
      if (end - reported >= CHUNK || end === layout.weights) {
        done(end);
        reported = end;
      }
    }
  }
  return clipped;
}
