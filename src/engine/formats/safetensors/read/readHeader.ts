import { KeystoneError } from "#shared/errors.ts";
import { readRange, type ByteSource } from "#engine/files/byteSource.ts";
import { DTYPE_BITS } from "#engine/checkpoint/dtypes.ts";
import { parseHeaderJson, shown } from "#engine/files/strictJson.ts";

/** Longest header accepted, in bytes: the reference reader's own cap. A longer one exists only to exhaust memory. */
const MAX_HEADER_BYTES = 100_000_000;
/** The file begins with the header's length, a little-endian u64. */
const LENGTH_BYTES = 8;
const DAMAGED = "The file is damaged or truncated: download it again.";

/** One entry of a safetensors header; [begin, end) are bytes of the file, not of its data section. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** A header that has passed every check: the entries, in the order of their bytes, cover the data section exactly. */
export interface SafetensorsHeader {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
  /** First byte of the data section. */
  readonly dataBegin: number;
}

/**
 * Reads and checks the header of a safetensors file [format: github.com/huggingface/safetensors, "Format"].
 * Layout: 8 bytes length N · N bytes JSON · data. Memory is taken only after N was compared with the file's size.
 * @throws KeystoneError safetensors/…
 */
export async function readHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const file = source.name;
  const length = await readHeaderLength(source);
  const dataBegin = LENGTH_BYTES + length;
  const bytes = await readRange(source, LENGTH_BYTES, dataBegin);
  if (bytes[0] !== 0x7b) {
    throw new KeystoneError(
      "safetensors/not-an-object",
      `The header of ${file} does not begin with "{".`,
      DAMAGED,
      { file },
    );
  }
  const header = parseHeaderJson(bytes, file);
  if (!isObject(header))
    throw new KeystoneError(
      "safetensors/not-an-object",
      `The header of ${file} is not a JSON object.`,
      DAMAGED,
      { file },
    );

  const entries: HeaderEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = readMetadata(value, file);
    else entries.push(readEntry(name, value, file, dataBegin));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, file, dataBegin, source.byteLength);
  return { entries, metadata, dataBegin };
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  const { name: file, byteLength } = source;
  if (byteLength < LENGTH_BYTES) {
    throw new KeystoneError(
      "safetensors/too-short",
      `${file} holds ${byteLength} bytes; a safetensors file begins with 8 bytes of header length.`,
      DAMAGED,
      { file, bytes: byteLength },
    );
  }
  const prefix = await readRange(source, 0, LENGTH_BYTES);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new KeystoneError(
      "safetensors/header-too-long",
      `${file} claims a header of ${length.toString()} bytes; at most ${MAX_HEADER_BYTES} are allowed.`,
      "It is damaged or not a safetensors file: download it again.",
      { file, claimed: length.toString(), allowed: MAX_HEADER_BYTES },
    );
  }
  const room = byteLength - LENGTH_BYTES;
  if (length > BigInt(room)) {
    throw new KeystoneError(
      "safetensors/header-past-end",
      `${file} claims a header of ${length.toString()} bytes, but only ${room} bytes follow its length.`,
      DAMAGED,
      { file, claimed: Number(length), room },
    );
  }
  if (length === 0n)
    throw new KeystoneError("safetensors/not-an-object", `The header of ${file} is empty.`, DAMAGED, {
      file,
    });
  return Number(length);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readMetadata(value: unknown, file: string): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const [key, text] of isObject(value) ? Object.entries(value) : [["", null] as const]) {
    if (typeof text !== "string") {
      throw new KeystoneError(
        "safetensors/bad-metadata",
        `__metadata__ of ${file} is not a map from text to text.`,
        DAMAGED,
        { file, key },
      );
    }
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, value: unknown, file: string, dataBegin: number): HeaderEntry {
  const fail = (what: string, sentence: string, details: Record<string, string | number> = {}): never => {
    throw new KeystoneError(`safetensors/${what}`, `${file}: tensor ${shown(name)} ${sentence}.`, DAMAGED, {
      file,
      tensor: name,
      ...details,
    });
  };
  if (!name.isWellFormed()) return fail("bad-name", "has a name that is not valid Unicode");
  if (!isObject(value)) return fail("bad-entry", "is not described by an object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") return fail("bad-entry", "has no dtype");
  const bits = DTYPE_BITS.get(dtype);
  if (bits === undefined)
    return fail(
      "unknown-dtype",
      `has the dtype ${shown(dtype)}; known are ${[...DTYPE_BITS.keys()].join(", ")}`,
      { dtype },
    );
  if (!isIntegers(shape)) return fail("bad-entry", "has no shape of whole numbers");
  if (!isIntegers(offsets) || offsets.length !== 2)
    return fail("bad-entry", "has no data_offsets of two whole numbers");
  const [begin, end] = offsets;
  if (begin > end)
    return fail("bad-offsets", `begins at data byte ${begin}, after its end ${end}`, { begin, end });

  // bigint: a product of dimensions passes 2^53 without a sound
  const totalBits = shape.reduce((product, dimension) => product * BigInt(dimension), BigInt(bits));
  if (totalBits % 8n !== 0n)
    return fail("not-whole-bytes", `of ${dtype} [${shape.join(", ")}] does not end on a whole byte`, {
      dtype,
    });
  if (totalBits / 8n !== BigInt(end - begin)) {
    const need = (totalBits / 8n).toString();
    return fail(
      "size-mismatch",
      `of ${dtype} [${shape.join(", ")}] needs ${need} bytes, but its offsets span ${end - begin}`,
      {
        need,
        declared: end - begin,
      },
    );
  }
  return { name, dtype, shape, begin: dataBegin + begin, end: dataBegin + end };
}

/** Numbers of a parsed header are whole already (parseHeaderJson); here only their place is checked. */
function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

/** Sorted entries must follow each other without hole or overlap from the first data byte to the last. */
function checkCoverage(
  entries: readonly HeaderEntry[],
  file: string,
  dataBegin: number,
  byteLength: number,
): void {
  const dataBytes = byteLength - dataBegin;
  let covered = dataBegin;
  let previous = "";
  for (const { name, begin, end } of entries) {
    const at = begin - dataBegin;
    if (end > byteLength) {
      throw new KeystoneError(
        "safetensors/past-end",
        `${file}: tensor ${shown(name)} ends at data byte ${end - dataBegin}, but the data section holds ${dataBytes} bytes.`,
        "The file looks truncated: download it again.",
        { file, tensor: name, end: end - dataBegin, dataBytes },
      );
    }
    if (begin < covered) {
      throw new KeystoneError(
        "safetensors/overlap",
        `${file}: tensor ${shown(name)} begins at data byte ${at}, inside ${shown(previous)}.`,
        DAMAGED,
        { file, tensor: name, begin: at, other: previous },
      );
    }
    if (begin > covered) {
      throw new KeystoneError(
        "safetensors/hole",
        `${file}: data bytes ${covered - dataBegin} to ${at}, before tensor ${shown(name)}, belong to no tensor.`,
        DAMAGED,
        { file, tensor: name, from: covered - dataBegin, to: at },
      );
    }
    covered = end;
    previous = name;
  }
  if (covered !== byteLength) {
    throw new KeystoneError(
      "safetensors/trailing-bytes",
      `${file}: the tensors end at data byte ${covered - dataBegin}, but the data section holds ${dataBytes} bytes.`,
      DAMAGED,
      { file, end: covered - dataBegin, dataBytes },
    );
  }
}
