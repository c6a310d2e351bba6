/** A metadata value: text, a whole number as u32, `{ f32 }`, or a list of them; lists may lie in lists. */
export type GgufValue = string | number | boolean | { readonly f32: number } | readonly GgufValue[];

/** An F32 tensor, shape outermost first. */
export interface MadeTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const ALIGNMENT = 32;
const TYPE = { u32: 4, f32: 6, bool: 7, string: 8, array: 9 } as const;

/** A GGUF file of version 3 in memory. */
export function ggufBytes(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: Readonly<Record<string, MadeTensor>>,
): Uint8Array {
  const keys = Object.entries(metadata).flatMap(([key, value]) => [
    text(key),
    u32(typeOf(value)),
    ...encoded(value),
  ]);
  let offset = 0;
  const table = Object.entries(tensors).flatMap(([name, { shape, values }]) => {
    const row = [text(name), u32(shape.length), ...shape.toReversed().map(u64), u32(0), u64(offset)];
    offset += padded(values.byteLength);
    return row;
  });
  const counts = [u64(Object.keys(tensors).length), u64(Object.keys(metadata).length)];
  const header = Buffer.concat([Buffer.from("GGUF"), u32(3), ...counts, ...keys, ...table]);
  const data = Object.values(tensors).map(({ values }) => filledUp(Buffer.from(values.slice().buffer)));
  return new Uint8Array(Buffer.concat([filledUp(header), ...data]));
}

function typeOf(value: GgufValue): number {
  if (typeof value === "string") return TYPE.string;
  if (typeof value === "number") return TYPE.u32;
  if (typeof value === "boolean") return TYPE.bool;
  return "f32" in value ? TYPE.f32 : TYPE.array;
}

function encoded(value: GgufValue): Buffer[] {
  if (typeof value === "string") return [text(value)];
  if (typeof value === "number") return [u32(value)];
  if (typeof value === "boolean") return [Buffer.of(Number(value))];
  if ("f32" in value) return [Buffer.from(Float32Array.of(value.f32).buffer)];
  const [first] = value;
  const type = first === undefined ? TYPE.u32 : typeOf(first);
  return [u32(type), u64(value.length), ...value.flatMap(encoded)];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}

function u64(value: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
}

function padded(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function filledUp(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)]);
}
