/** One tensor of a file under construction. Offsets are filled in when absent, so that a test can also lie about them. */
export interface TensorSpec {
  dtype: string;
  shape: readonly number[];
  data?: Uint8Array;
  offsets?: readonly [number, number];
}

export interface LayoutOptions {
  /** Replaces the header's text altogether. */
  headerText?: string;
  /** Replaces the length written in front of the header. */
  headerLength?: bigint;
  /** Appended to the header inside its length, as the format allows: spaces. */
  padding?: string;
  metadata?: unknown;
  /** Cuts the finished file to this many bytes. */
  truncateTo?: number;
  /** Bytes after the last tensor. */
  trailing?: Uint8Array;
}

/**
 * A safetensors file in memory. Without options and explicit offsets it is valid: tensors lie one after another in
 * the order given. With them it is malformed in exactly the way asked for.
 */
export function safetensorsBytes(
  tensors: Readonly<Record<string, TensorSpec>>,
  options: LayoutOptions = {},
): Uint8Array {
  const entries: Record<string, unknown> = {};
  if (options.metadata !== undefined) entries["__metadata__"] = options.metadata;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data = new Uint8Array(), offsets }] of Object.entries(tensors)) {
    entries[name] = { dtype, shape, data_offsets: offsets ?? [at, at + data.byteLength] };
    parts.push(data);
    at += data.byteLength;
  }
  const header = new TextEncoder().encode(
    (options.headerText ?? JSON.stringify(entries)) + (options.padding ?? ""),
  );
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, options.headerLength ?? BigInt(header.byteLength), true);
  const whole = Buffer.concat([prefix, header, ...parts, options.trailing ?? new Uint8Array()]);
  return new Uint8Array(options.truncateTo === undefined ? whole : whole.subarray(0, options.truncateTo));
}

/** Zeros of the right size: for tests about headers, not values. */
export function f32(shape: readonly number[], offsets?: readonly [number, number]): TensorSpec {
  const data = new Uint8Array(4 * shape.reduce((product, dimension) => product * dimension, 1));
  return offsets ? { dtype: "F32", shape, data, offsets } : { dtype: "F32", shape, data };
}

/** f32 values as a tensor of the given storage type, rounded to nearest even. */
export function storedAs(
  storage: "F32" | "F16" | "BF16",
  shape: readonly number[],
  values: Float32Array,
): TensorSpec {
  return { dtype: storage, shape, data: encodeStored(storage, values) };
}

function encodeStored(storage: "F32" | "F16" | "BF16", values: Float32Array): Uint8Array {
  if (storage === "F32") return new Uint8Array(values.slice().buffer);
  if (storage === "F16") return new Uint8Array(new Float16Array(values).buffer);
  const words = new Uint32Array(values.slice().buffer);
  const halves = Uint16Array.from(words, (word, i) => {
    if (Number.isNaN(values[i])) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
  return new Uint8Array(halves.buffer);
}
