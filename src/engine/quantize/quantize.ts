import { bitsOf } from "#engine/numeric/halfTypes.ts";
import { METHODS } from "./methods/methods.ts";
import { decodeStored } from "./passes/blockPass.ts";
import { blockEnd, blockLayout, blockStart, fromTileOrder, toTileOrder } from "./plan/blockLayout.ts";
import { storageOverflow } from "./plan/overflow.ts";
import { restoredIndices } from "./plan/restoreWeights.ts";
import type { TensorPlan } from "./plan/tensorPlan.ts";
import { createScheme } from "./schemes/createScheme.ts";
import type { Codes } from "./schemes/scheme.ts";

/** One quantized tensor: what an export writes, and all that {@link dequantize} needs. */
export interface Packed extends Codes {
  readonly plan: TensorPlan;
  /** Weights kept exactly: row-major indices, ascending, and their original values. */
  readonly restored: { readonly indices: Uint32Array; readonly values: Float32Array };
}

/** @throws RangeError where the weights are not the tensor that the plan is for: a mistake in the program. */
export function assertLength(values: Float32Array, plan: TensorPlan, what: string): void {
  const expected = plan.rows * plan.columns;
  if (values.length === expected) return;
  throw new RangeError(
    `${what} of "${plan.name}" has ${values.length} values; ${plan.rows} × ${plan.columns} needs ${expected}.`,
  );
}

/**
 * Codes and constants of one tensor by its plan's method. The weights are left as they are.
 * @param weights (rows, columns) row-major
 * @param out receives the codes, which the result holds; as many as weights
 * @throws KeystoneError quantize/not-finite, quantize/scale-overflow, quantize/range-overflow
 */
export function quantize(
  weights: Float32Array,
  plan: TensorPlan,
  out: Uint8Array = new Uint8Array(weights.length),
): Packed {
  assertLength(weights, plan, "The weights");
  const indices = restoredIndices(weights, plan);
  const codes = METHODS[plan.method].codes(weights, plan, indices, out);
  const values = Float32Array.from(indices, (index) => weights[index]);
  return { plan, ...codes, restored: { indices, values } };
}

/**
 * ŵ of a packed tensor: decoded in f32, rounded to the plan's storage type, restored weights put back last.
 * @returns (rows, columns) row-major
 * @throws KeystoneError quantize/storage-overflow where a value does not fit the storage type
 */
export function dequantize(packed: Packed): Float32Array {
  const { plan, restored } = packed;
  const layout = blockLayout(plan);
  const scheme = createScheme(plan, layout.count, packed.constants);
  let codes = packed.codes;
  if (plan.granularity.kind === "tile") {
    codes = new Uint8Array(packed.codes.length);
    toTileOrder(packed.codes, plan, codes);
  }
  let out = new Float32Array(layout.weights);
  const bits = bitsOf(out);
  for (let block = 0; block < layout.count; block++) {
    const from = blockStart(layout, block);
    const to = blockEnd(layout, from);
    decodeStored(scheme, block, codes, from, to, out, bits, from, plan.storage);
  }
  if (plan.granularity.kind === "tile") {
    const rowMajor = new Float32Array(out.length);
    fromTileOrder(out, plan, rowMajor);
    out = rowMajor;
  }
  restored.indices.forEach((index, i) => (out[index] = restored.values[i]));
  if (!out.every(Number.isFinite)) throw storageOverflow(plan.name, plan.storage);
  return out;
}
