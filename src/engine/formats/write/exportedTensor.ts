import { isStorageType, STORAGE_BYTES } from "#engine/numeric/storageTypes.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Packed } from "#engine/quantize/quantize.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { requireFinite, toStorageBytes } from "./storageBytes.ts";
import type { ExportVariant } from "./exportedVariant.ts";
import type { WeightMemory } from "./weightMemory.ts";

/** Bytes handed on at once. Divisible by every element size. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * The data of one tensor of the export, in order: quantized and dequantized where the recipe plans it, dequantized where the
 * source holds it packed, otherwise the source's own bytes. One planned tensor is in memory at a time, as f32 and as stored; others never whole.
 * @throws KeystoneError checkpoint/not-finite, checkpoint/read-failed, and what the scheme throws
 */
export async function* exportedTensor(
  checkpoint: Checkpoint,
  variant: ExportVariant,
  name: string,
  memory: WeightMemory,
): AsyncGenerator<Uint8Array> {
  const tensor = checkpoint.tensors.get(name);
  const planned = variant.plans.has(name);
  if (!planned && !tensor?.packed) {
    yield* sourceBytes(checkpoint, name);
    return;
  }
  const storage = tensor?.dtype ?? "";
  const weights = planned
    ? await judgedWeights(checkpoint, variant, name, memory)
    : await checkpoint.read(name);
  // a tensor that is read as f32 is of one of the three types
  if (!isStorageType(storage)) throw new TypeError(`${name} is read but stored as ${storage}`);
  const stored = toStorageBytes(weights, storage, name);
  for (let at = 0; at < stored.byteLength; at += CHUNK_BYTES) yield stored.subarray(at, at + CHUNK_BYTES);
}

/** The weights of a planned tensor as they are judged, in `memory`: ŵ in f32, rounded to the tensor's storage type. */
export async function judgedWeights(
  checkpoint: Checkpoint,
  variant: ExportVariant,
  name: string,
  memory: WeightMemory,
): Promise<Float32Array> {
  return quantized(checkpoint, variant, name, memory, (weights, plan) =>
    variant.quantize(weights, plan, memory.room("judged", weights.length)),
  );
}

/** The same weights as codes and constants; the codes lie in `memory`. */
export async function packedWeights(
  checkpoint: Checkpoint,
  variant: ExportVariant,
  name: string,
  memory: WeightMemory,
): Promise<Packed> {
  return quantized(checkpoint, variant, name, memory, (weights, plan) =>
    variant.pack(weights, plan, memory.codes(weights.length)),
  );
}

/** Quantizing looks at every weight and refuses one that is not finite: only then is it looked for, to name it as everywhere. */
async function quantized<T>(
  checkpoint: Checkpoint,
  { plans }: ExportVariant,
  name: string,
  memory: WeightMemory,
  work: (weights: Float32Array, plan: TensorPlan) => T | Promise<T>,
): Promise<T> {
  const plan = plans.get(name);
  if (!plan) throw new TypeError(`${name} is not planned`);
  const weights = await checkpoint.read(name, memory.room("original", plan.rows * plan.columns));
  try {
    return await work(weights, plan);
  } catch (thrown) {
    requireFinite(new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength), "F32", name);
    throw thrown;
  }
}

/** The stored bytes of a tensor, checked for NaN and infinities where they are floats that Keystone reads. */
export async function* sourceBytes(checkpoint: Checkpoint, name: string): AsyncGenerator<Uint8Array> {
  const tensor = checkpoint.tensors.get(name);
  const bytes = tensor?.bytes ?? 0;
  for (let at = 0; at < bytes; at += CHUNK_BYTES) {
    const chunk = await checkpoint.readBytes(name, at, Math.min(bytes, at + CHUNK_BYTES));
    if (tensor && isStorageType(tensor.dtype))
      requireFinite(chunk, tensor.dtype, name, at / STORAGE_BYTES[tensor.dtype]);
    yield chunk;
  }
}
