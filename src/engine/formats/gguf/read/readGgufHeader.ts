import { KeystoneError } from "#shared/errors.ts";
import { readRange, type ByteSource } from "#engine/files/byteSource.ts";
import { shown } from "#engine/files/strictJson.ts";
import { Cursor, NeedMoreBytes } from "../layout/cursor.ts";
import { ggufError } from "./ggufError.ts";
import { GGML_TYPES, type GgmlType } from "../layout/ggmlTypes.ts";
import type { Metadata } from "../layout/metadata.ts";
import { readMetadata } from "./readMetadata.ts";

/** Longest header accepted, in bytes. A vocabulary of 260,000 tokens with merges takes some 15 MB. */
const MAX_HEADER_BYTES = 128 * 1024 * 1024;
/** What is read at first: most headers without a vocabulary fit. */
const FIRST_BYTES = 1024 * 1024;
/** 200 layers of 300 separate experts would have fewer. */
const MAX_TENSORS = 262_144;
/** ggml's own bound. */
const MAX_NAME_BYTES = 64;
const MAX_DIMENSIONS = 4;
const MAX_ALIGNMENT = 65_536;
const DEFAULT_ALIGNMENT = 32;
const MAGIC = 0x46554747; // "GGUF"

/** A tensor as a file's table names it. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** Outermost first, as elsewhere: (rows, columns). The file counts the other way round. */
  readonly shape: readonly number[];
  readonly parameters: number;
  /** Half-open range [begin, end) of its data in the file. */
  readonly begin: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: Metadata;
  /** In the order of the table. */
  readonly tensors: readonly GgufTensor[];
}

/**
 * Metadata and tensor table of a GGUF file (versions 2 and 3, little-endian), checked against each other and the file's
 * size: every count and length is held against a limit and against the bytes there are before anything is allocated for it;
 * no key or name twice; tensors inside the file, aligned, without overlap.
 * @throws KeystoneError gguf/…, checkpoint/read-failed
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const limit = Math.min(source.byteLength, MAX_HEADER_BYTES);
  for (let bytes = Math.min(limit, FIRST_BYTES); ;) {
    try {
      return parseHeader(await readRange(source, 0, bytes), source);
    } catch (thrown) {
      if (!(thrown instanceof NeedMoreBytes)) throw thrown;
      if (thrown.needed > limit || bytes === limit) throw pastEndError(source, thrown.needed, limit);
      bytes = Math.min(limit, Math.max(4 * bytes, thrown.needed));
    }
  }
}

function pastEndError(source: ByteSource, needed: number, limit: number): KeystoneError {
  const tooLong = limit < source.byteLength;
  return ggufError(
    tooLong ? "header-too-long" : "truncated",
    source,
    tooLong
      ? `has a header that needs ${needed} bytes or more; at most ${limit} are read`
      : `ends at byte ${source.byteLength}, inside its own header (byte ${needed} is needed)`,
    { needed, limit },
  );
}

function parseHeader(bytes: Uint8Array, source: ByteSource): GgufHeader {
  const cursor = new Cursor(bytes);
  const version = readVersion(cursor, source);
  const tensorCount = cursor.u64();
  const keyCount = cursor.u64();
  if (!(tensorCount <= MAX_TENSORS))
    throw ggufError("too-many", source, `announces ${tensorCount} tensors; at most ${MAX_TENSORS} are read`, {
      tensors: tensorCount,
    });
  const metadata = readMetadata(cursor, keyCount, source);
  const alignment = readAlignment(metadata, source);
  const rows = readTable(cursor, tensorCount, source);
  const dataBegin = Math.ceil(cursor.offset / alignment) * alignment;
  const tensors = rows.map((row) => placed(row, dataBegin, alignment, source));
  checkNoOverlap(tensors, source);
  return { version, alignment, metadata, tensors };
}

function readVersion(cursor: Cursor, source: ByteSource): number {
  const magic = cursor.u32();
  if (magic !== MAGIC)
    throw ggufError("not-gguf", source, "does not begin with GGUF: it is another kind of file");
  const version = cursor.u32();
  if (version === 2 || version === 3) return version;
  const bigEndian = version > 0xffff;
  throw ggufError(
    "version",
    source,
    bigEndian
      ? "is big-endian; little-endian files are read"
      : `has GGUF version ${version}; versions 2 and 3 are read`,
    { version },
  );
}

function readAlignment(metadata: Metadata, source: ByteSource): number {
  const alignment = metadata.get("general.alignment")?.value ?? DEFAULT_ALIGNMENT;
  const fits =
    typeof alignment === "number" &&
    Number.isInteger(alignment) &&
    alignment >= 8 &&
    alignment <= MAX_ALIGNMENT &&
    alignment % 8 === 0;
  if (fits) return alignment;
  throw ggufError(
    "bad-alignment",
    source,
    "names an alignment that is not a multiple of 8 between 8 and 65536",
  );
}

interface TableRow {
  readonly name: string;
  readonly type: GgmlType;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly bytes: number;
  readonly offset: number;
}

function readTable(cursor: Cursor, count: number, source: ByteSource): TableRow[] {
  const rows: TableRow[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const row = readRow(cursor, source);
    if (names.has(row.name))
      throw ggufError("duplicate-tensor", source, `names tensor ${shown(row.name)} twice`, {
        tensor: row.name,
      });
    names.add(row.name);
    rows.push(row);
  }
  return rows;
}

function readRow(cursor: Cursor, source: ByteSource): TableRow {
  const length = cursor.u64();
  if (!(length >= 1 && length < MAX_NAME_BYTES))
    throw ggufError("bad-name", source, `has a tensor whose name takes ${length} bytes; 1 to 63 are allowed`);
  const name = cursor.name(length);
  if (name === null) throw ggufError("bad-name", source, "has a tensor whose name is not UTF-8");
  const dimensions = cursor.u32();
  if (!(dimensions >= 1 && dimensions <= MAX_DIMENSIONS))
    throw ggufError(
      "bad-shape",
      source,
      `gives tensor ${shown(name)} ${dimensions} dimensions; 1 to 4 are allowed`,
      { tensor: name },
    );
  const inner = Array.from({ length: dimensions }, () => cursor.u64());
  const typeId = cursor.u32();
  const type = GGML_TYPES.get(typeId);
  if (!type)
    throw ggufError(
      "unknown-type",
      source,
      `stores tensor ${shown(name)} as type ${typeId}, which is not known here`,
      { tensor: name, type: typeId },
    );
  const parameters = inner.reduce((product, size) => product * size, 1);
  const fits = inner.every(Number.isSafeInteger) && Number.isSafeInteger(parameters * type.bytes);
  if (!fits || inner[0] % type.weights !== 0)
    throw ggufError(
      "bad-shape",
      source,
      `gives tensor ${shown(name)} the shape [${inner.join(", ")}], which ${type.name} cannot hold (blocks of ${type.weights})`,
      { tensor: name },
    );
  const bytes = (parameters / type.weights) * type.bytes;
  return { name, type, shape: inner.reverse(), parameters, bytes, offset: cursor.u64() };
}

function placed(row: TableRow, dataBegin: number, alignment: number, source: ByteSource): GgufTensor {
  const { name, type, shape, parameters, bytes, offset } = row;
  if (offset % alignment !== 0)
    throw ggufError(
      "unaligned",
      source,
      `puts tensor ${shown(name)} at data byte ${offset}, not a multiple of ${alignment}`,
      { tensor: name },
    );
  const begin = dataBegin + offset;
  const end = begin + bytes;
  if (!(end <= source.byteLength))
    throw ggufError(
      "past-end",
      source,
      `holds ${source.byteLength} bytes, but tensor ${shown(name)} ends at byte ${end}`,
      { tensor: name, end },
    );
  return { name, type, shape, parameters, begin, end };
}

function checkNoOverlap(tensors: readonly GgufTensor[], source: ByteSource): void {
  const ordered = tensors.filter(({ begin, end }) => end > begin).sort((a, b) => a.begin - b.begin);
  for (let i = 1; i < ordered.length; i++) {
    const [before, after] = [ordered[i - 1], ordered[i]];
    if (after.begin < before.end)
      throw ggufError(
        "overlap",
        source,
        `lets tensor ${shown(after.name)} begin at byte ${after.begin}, inside ${shown(before.name)}`,
        { tensor: after.name },
      );
  }
}
