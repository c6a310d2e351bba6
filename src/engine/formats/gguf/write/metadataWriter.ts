import { VALUE_BYTES } from "../layout/cursor.ts";
import {
  VALUE_TYPES,
  type Metadata,
  type MetadataEntry,
  type Scalar,
  type ScalarType,
  type ValueType,
} from "../layout/metadata.ts";

/** A tensor as the file's table names it. */
export interface TableEntry {
  readonly name: string;
  /** Number of the ggml type. */
  readonly type: number;
  /** Outermost first: (rows, columns). */
  readonly shape: readonly number[];
  /** First byte of its data, counted from the end of the header; a multiple of the alignment. */
  readonly offset: number;
}

export const ALIGNMENT = 32;
const VERSION = 3;
const encoder = new TextEncoder();

/** Everything in front of the data: magic, version, counts, metadata, tensor table, zeros up to the alignment. */
export function encodeHeader(metadata: Metadata, table: readonly TableEntry[]): Uint8Array {
  const out = new Bytes();
  out.append(encoder.encode("GGUF"));
  out.number("u32", VERSION);
  out.number("u64", table.length);
  out.number("u64", metadata.size);
  for (const [key, entry] of metadata) {
    out.text(key);
    out.entry(entry);
  }
  for (const { name, type, shape, offset } of table) {
    out.text(name);
    out.number("u32", shape.length);
    for (const size of shape.toReversed()) out.number("u64", size);
    out.number("u32", type);
    out.number("u64", offset);
  }
  out.append(new Uint8Array(padding(out.length)));
  return out.take();
}

/** Bytes from `length` to the next multiple of the alignment. */
export function padding(length: number): number {
  return (ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT;
}

/** A growing little-endian buffer. */
class Bytes {
  length = 0;
  private bytes = new Uint8Array(1 << 16);
  private view = new DataView(this.bytes.buffer);

  append(bytes: Uint8Array): void {
    this.reserve(bytes.byteLength);
    this.bytes.set(bytes, this.length);
    this.length += bytes.byteLength;
  }

  text(text: string): void {
    const bytes = encoder.encode(text);
    this.number("u64", bytes.byteLength);
    this.append(bytes);
  }

  entry({ type, value }: MetadataEntry): void {
    if (!Array.isArray(value)) {
      this.type(type);
      this.value(type, value as Scalar);
      return;
    }
    this.type("array");
    this.type(type);
    this.number("u64", value.length);
    for (const each of value as readonly Scalar[]) this.value(type, each);
  }

  private type(type: ValueType): void {
    this.number("u32", VALUE_TYPES.indexOf(type));
  }

  private value(type: ScalarType, value: Scalar): void {
    if (type === "string") this.text(String(value));
    else this.number(type, typeof value === "bigint" ? value : Number(value));
  }

  number(type: Exclude<ScalarType, "string">, value: number | bigint): void {
    this.reserve(VALUE_BYTES[type]);
    const at = this.length;
    this.length += VALUE_BYTES[type];
    const { view } = this;
    const plain = Number(value);
    switch (type) {
      case "u8":
      case "i8":
      case "bool":
        return view.setUint8(at, plain);
      case "u16":
      case "i16":
        return view.setUint16(at, plain, true);
      case "u32":
      case "i32":
        return view.setUint32(at, plain, true);
      case "f32":
        return view.setFloat32(at, plain, true);
      case "f64":
        return view.setFloat64(at, plain, true);
      case "u64":
      case "i64":
        return view.setBigInt64(at, BigInt(value), true);
    }
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.bytes.byteLength) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.byteLength, this.length + bytes));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
