import type { Packed } from "#engine/quantize/quantize.ts";
import { storedBits } from "#engine/quantize/plan/bitsPerWeight.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** One of the tensors that a format stores a module's weight as. */
export interface ModuleTensor {
  /** Takes the place of `weight` in the weight's name, or follows it. */
  readonly name: string;
  readonly dtype: "I32" | "U32" | "I64" | "F32" | "F16" | "BF16";
  readonly shape: readonly number[];
  /** Where it is known from the plan; otherwise `pack` gives it. */
  readonly data?: Uint8Array;
}

/** How a format stores a quantized matrix. */
export interface ModuleLayout {
  /** The module's tensors, known from its plan. */
  tensors(plan: TensorPlan): readonly ModuleTensor[];
  /** The bytes of those that do not carry them, in their order. */
  pack(packed: Packed): readonly Uint8Array[];
}

/** Groups of a row, and the columns of one. */
export function groupsOf({ granularity, columns, name }: TensorPlan): { groups: number; size: number } {
  if (granularity.kind === "channel") return { groups: 1, size: columns };
  if (granularity.kind === "group") return { groups: columns / granularity.size, size: granularity.size };
  throw new RangeError(
    `${name} has blocks of the kind ${granularity.kind}, which have no place in a packed module.`,
  );
}

/** Codes with a scale and a zero point a block. */
export function integerConstants({ constants, plan }: Packed) {
  if (constants.kind === "integer") return constants;
  throw new RangeError(
    `${plan.name} has constants of the kind ${constants.kind}, which have no place in a packed module.`,
  );
}

/** The bytes of words. */
export function bytesOf(words: Uint32Array | Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** Rows and columns that are turned at once: their lines stay in the first cache level. */
const TURNED = 32;

/** (rows, columns) as (columns, rows). */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return new Float32Array(transposedWords(words, rows, columns).buffer);
}

/** The same of words. */
export function transposedWords(words: Uint32Array, rows: number, columns: number): Uint32Array {
  const out = new Uint32Array(words.length);
  for (let top = 0; top < rows; top += TURNED) {
    const bottom = Math.min(top + TURNED, rows);
    for (let left = 0; left < columns; left += TURNED) {
      const right = Math.min(left + TURNED, columns);
      for (let column = left; column < right; column++)
        for (let row = top; row < bottom; row++) out[column * rows + row] = words[row * columns + column];
    }
  }
  return out;
}

/** Bytes of a module that is planned so; where the format cannot store it, what the recipe counts. */
export function moduleBytes(layout: ModuleLayout, plan: TensorPlan): number {
  if (plan.granularity.kind !== "group" && plan.granularity.kind !== "channel") return storedBits(plan) / 8;
  return layout.tensors(plan).reduce((sum, part) => sum + tensorBytes(part), 0);
}

const ELEMENT_BYTES = { I64: 8, I32: 4, U32: 4, F32: 4, F16: 2, BF16: 2 } as const;

/** Bytes of a tensor's data. */
export function tensorBytes({ dtype, shape }: ModuleTensor): number {
  return shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype]);
}
