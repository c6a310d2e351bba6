import type { ByteSource } from "#engine/files/byteSource.ts";
import { shown } from "#engine/files/strictJson.ts";
import { VALUE_BYTES, type Cursor } from "../layout/cursor.ts";
import { ggufError } from "./ggufError.ts";
import type { Metadata, MetadataEntry, Scalar, ScalarType } from "../layout/metadata.ts";

/** A model's file has some 40; one with a whole model card in it a few hundred. */
const MAX_KEYS = 16_384;
/** The format's own bound. */
const MAX_KEY_BYTES = 65_535;
/** Longest text: a chat template takes some 20 kB. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;
/** Values in all arrays together: the largest vocabularies have 260,000 tokens, as many types and scores, and more merges. */
const MAX_ELEMENTS = 4_000_000;
/** Arrays in one another. */
const MAX_DEPTH = 4;

/** @throws KeystoneError gguf/too-many, gguf/bad-metadata, gguf/duplicate-key; NeedMoreBytes */
export function readMetadata(cursor: Cursor, count: number, source: ByteSource): Metadata {
  if (!(count <= MAX_KEYS))
    throw ggufError("too-many", source, `announces ${count} metadata keys; at most ${MAX_KEYS} are read`, {
      keys: count,
    });
  const metadata = new Map<string, MetadataEntry>();
  const budget = { elements: MAX_ELEMENTS };
  for (let i = 0; i < count; i++) {
    const key = readKey(cursor, source);
    if (metadata.has(key))
      throw ggufError("duplicate-key", source, `names the metadata ${shown(key)} twice`, { key });
    metadata.set(key, readEntry(cursor, key, budget, source));
  }
  return metadata;
}

function readKey(cursor: Cursor, source: ByteSource): string {
  const length = cursor.u64();
  if (!(length >= 1 && length <= MAX_KEY_BYTES))
    throw ggufError(
      "bad-metadata",
      source,
      `has a metadata key of ${length} bytes; 1 to ${MAX_KEY_BYTES} are allowed`,
    );
  const key = cursor.name(length);
  if (key === null) throw ggufError("bad-metadata", source, "has a metadata key that is not UTF-8");
  return key;
}

function readEntry(
  cursor: Cursor,
  key: string,
  budget: { elements: number },
  source: ByteSource,
): MetadataEntry {
  const type = cursor.type();
  if (type === "array") return readArray(cursor, key, budget, source, 1);
  if (type === null) throw unknownType(key, source);
  return { type, value: readValue(cursor, type, key, source) };
}

/** @param depth arrays around its values, this one included */
function readArray(
  cursor: Cursor,
  key: string,
  budget: { elements: number },
  source: ByteSource,
  depth: number,
): MetadataEntry {
  const type = cursor.type();
  if (type === null) throw unknownType(key, source);
  if (type === "array" && depth === MAX_DEPTH)
    throw ggufError(
      "bad-metadata",
      source,
      `holds more than ${MAX_DEPTH} arrays in one another in ${shown(key)}`,
      {
        key,
      },
    );
  const length = cursor.u64();
  if (!(length <= budget.elements))
    throw ggufError(
      "too-many",
      source,
      `announces ${length} values in ${shown(key)}; ${MAX_ELEMENTS} are read in all`,
      { key, elements: length },
    );
  budget.elements -= length;
  if (type === "array") {
    const rows: MetadataEntry[] = [];
    for (let i = 0; i < length; i++) rows.push(readArray(cursor, key, budget, source, depth + 1));
    return { type: rows[0]?.type ?? "u8", value: rows.map(({ value }) => value) };
  }
  cursor.require(length * VALUE_BYTES[type]);
  const value: Scalar[] = [];
  for (let i = 0; i < length; i++) value.push(readValue(cursor, type, key, source));
  return { type, value };
}

function readValue(cursor: Cursor, type: ScalarType, key: string, source: ByteSource): Scalar {
  if (type !== "string") return cursor.scalar(type);
  const length = cursor.u64();
  if (!(length <= MAX_TEXT_BYTES))
    throw ggufError(
      "too-many",
      source,
      `has a text of ${length} bytes in ${shown(key)}; at most ${MAX_TEXT_BYTES} are read`,
      { key, bytes: length },
    );
  return cursor.text(length);
}

function unknownType(key: string, source: ByteSource): Error {
  return ggufError("bad-metadata", source, `gives the metadata ${shown(key)} a type that is not known`, {
    key,
  });
}
