import { blockLayout, fromTileOrder } from "./blockLayout.ts";
import { blockFitter, decodeStored, prepareWeights } from "./blockPass.ts";
import { createCodec } from "./codecs.ts";
import { assertFinite, storageOverflow } from "./overflow.ts";
import { assertLength } from "./quantize.ts";
import { putBack, restoredIndices } from "./restoreWeights.ts";
import { measure, type QuantizationStatistics } from "./statistics.ts";
import { bitsOf } from "./storage.ts";
import type { TensorPlan } from "./types.ts";

/** Weights encoded and decoded at once: codes and values stay in cache. */
const CHUNK = 16384;
const codes = new Uint8Array(CHUNK);

/**
 * ŵ of one tensor in one go, for judging: the bits of `dequantize(quantize(weights, plan))` without packing.
 * @param weights (rows, columns) row-major; left as they are
 * @param out receives ŵ, row-major; the caller's; must not overlap `weights`
 * @returns sums of the error against `weights`
 * @throws KeystoneError quantize/not-finite, quantize/scale-overflow, quantize/range-overflow, quantize/storage-overflow
 */
export function quantizeDequantize(weights: Float32Array, plan: TensorPlan, out: Float32Array): QuantizationStatistics {
  assertLength(weights, plan, "The weights");
  assertLength(out, plan, "The result");
  const restored = restoredIndices(weights, plan);
  let clipped: number;
  try {
    clipped = blockByBlock(weights, plan, restored, out);
  } catch (error) {
    // An infinite weight overflows its block's constants first; the weight itself is the better thing to name.
    assertFinite(weights, plan);
    throw error;
  }
  putBack(weights, restored, out);
  const statistics = measure(weights, out, plan, { clipped, restored: restored.length });
  if (!Number.isFinite(statistics.sumSquaredError)) {
    assertFinite(weights, plan);
    throw storageOverflow(plan.name, plan.storage);
  }
  return statistics;
}

/** Writes ŵ, not yet restored, to `out`; returns how many weights clipping changed. */
function blockByBlock(weights: Float32Array, plan: TensorPlan, restored: Uint32Array, out: Float32Array): number {
  const layout = blockLayout(plan);
  const isTile = plan.block.kind === "tile";
  const target = isTile ? new Float32Array(out.length) : out;
  const bits = bitsOf(target);
  const source = prepareWeights(weights, plan, restored, target);
  const codec = createCodec(plan, 1);
  const fitter = blockFitter(codec, plan, source);
  let clipped = 0;
  for (let block = 0; block < layout.count; block++) {
    const from = block * layout.size;
    const to = Math.min(from + layout.size, layout.weights);
    clipped += fitter.fit(0, from, to);
    for (let start = from; start < to; start += CHUNK) {
      const end = Math.min(start + CHUNK, to);
      codec.encode(0, source, start, end, codes, 0);
      decodeStored(codec, 0, codes, 0, end - start, target, bits, start, plan.storage);
    }
  }
  if (isTile) fromTileOrder(target, plan, out);
  return clipped;
}
