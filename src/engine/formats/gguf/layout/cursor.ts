import { VALUE_TYPES, type Scalar, type ScalarType, type ValueType } from "./metadata.ts";

/** Thrown where a value reaches past the bytes at hand: more must be read, or the file ends too early. */
export class NeedMoreBytes extends Error {
  readonly needed: number;
  constructor(needed: number) {
    super(`${needed} bytes are needed`);
    this.needed = needed;
  }
}

/** Bytes of one value; 8 is the length in front of a text. */
export const VALUE_BYTES: Readonly<Record<ScalarType, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  string: 8,
  u64: 8,
  i64: 8,
  f64: 8,
};

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads little-endian values front to back. Nothing is allocated before the bytes are known to be there. */
export class Cursor {
  offset = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws NeedMoreBytes */
  require(bytes: number): void {
    if (!(this.offset + bytes <= this.bytes.byteLength)) throw new NeedMoreBytes(this.offset + bytes);
  }

  u32(): number {
    this.require(4);
    const value = this.view.getUint32(this.offset, true);
    this.offset += 4;
    return value;
  }

  /** Up to 2^53 exact; what is larger is a mistake or an attack, and stays larger than any limit. */
  u64(): number {
    this.require(8);
    const value = Number(this.view.getBigUint64(this.offset, true));
    this.offset += 8;
    return value;
  }

  /** Null where the number names no type. */
  type(): ValueType | null {
    return VALUE_TYPES[this.u32()] ?? null;
  }

  /** A name; null where its bytes are not UTF-8. */
  name(length: number): string | null {
    try {
      return strict.decode(this.take(length));
    } catch (thrown) {
      if (thrown instanceof NeedMoreBytes) throw thrown;
      return null;
    }
  }

  /** A value: some vocabularies hold pieces of characters, which become U+FFFD. */
  text(length: number): string {
    return lenient.decode(this.take(length));
  }

  private take(length: number): Uint8Array {
    this.require(length);
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  /** A value that is not a text. */
  scalar(type: Exclude<ScalarType, "string">): Scalar {
    const size = VALUE_BYTES[type];
    this.require(size);
    const at = this.offset;
    this.offset += size;
    const { view } = this;
    switch (type) {
      case "u8":
        return view.getUint8(at);
      case "i8":
        return view.getInt8(at);
      case "u16":
        return view.getUint16(at, true);
      case "i16":
        return view.getInt16(at, true);
      case "u32":
        return view.getUint32(at, true);
      case "i32":
        return view.getInt32(at, true);
      case "f32":
        return view.getFloat32(at, true);
      case "f64":
        return view.getFloat64(at, true);
      case "bool":
        return view.getUint8(at) !== 0;
      case "u64":
        return small(view.getBigUint64(at, true));
      case "i64":
        return small(view.getBigInt64(at, true));
    }
  }
}

function small(value: bigint): number | bigint {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
}
