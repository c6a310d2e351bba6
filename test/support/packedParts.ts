import type { TensorSpec } from "./safetensorsBytes.ts";

/** 32-bit words, zero where no value is given. */
export function words(shape: number[], values: number[] = []): TensorSpec {
  const data = new Int32Array(count(shape));
  data.set(values);
  return { dtype: "I32", shape, data: new Uint8Array(data.buffer) };
}

/** F16 numbers, all alike. */
export function halves(shape: number[], value = 1): TensorSpec {
  const data = new Float16Array(count(shape)).fill(value);
  return { dtype: "F16", shape, data: new Uint8Array(data.buffer) };
}

/** I64 numbers, as a module's weight_shape. */
export function longs(values: bigint[]): TensorSpec {
  return { dtype: "I64", shape: [values.length], data: new Uint8Array(new BigInt64Array(values).buffer) };
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
