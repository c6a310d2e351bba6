import type { ColumnMetaData, DataReader, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { readVarInt } from "hyparquet/src/thrift.js";
import { unpack } from "./parquetCodecs.ts";

/** Highest repetition and definition level of a column; 0 where its pages hold none. */
export interface Levels {
  readonly repetition: number;
  readonly definition: number;
}

/** Encodings whose declared counts are bounded by the page's own size, or are checked here. */
const READ_ENCODINGS = [
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "DELTA_BINARY_PACKED",
  "DELTA_LENGTH_BYTE_ARRAY",
];

/**
 * Walks a column's pages and checks what they declare against what there is: sizes against the column's, counts against its
 * values, and the runs of levels and dictionary indices against their counts. A reader that allocates by these numbers is safe
 * behind it.
 * @param chunk the bytes of all pages, dictionary first
 * @throws Error with the reason
 */
export function checkPages(chunk: Uint8Array, column: ColumnMetaData, levels: Levels): void {
  const reader: DataReader = { view: viewOf(chunk), offset: 0 };
  let left = Number(column.num_values);
  while (reader.offset < chunk.length - 1) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    const page = chunk.subarray(reader.offset, reader.offset + packed);
    if (!(packed >= 0) || page.length !== packed)
      throw new Error(`a page of ${packed} bytes ends behind its column`);
    if (!(unpacked >= 0 && unpacked <= Number(column.total_uncompressed_size)))
      throw new Error(`a page unpacks to ${unpacked} bytes, more than its column`);
    reader.offset += packed;
    left -= checkPage(header, page, column, levels, left);
  }
  if (left > 0) throw new Error(`its pages hold ${left} values fewer than the ${column.num_values} declared`);
}

/** One page. @returns its values */
function checkPage(
  header: PageHeader,
  page: Uint8Array,
  column: ColumnMetaData,
  levels: Levels,
  left: number,
): number {
  const { dictionary_page_header: dictionary, data_page_header: v1, data_page_header_v2: v2 } = header;
  if (header.type === "DICTIONARY_PAGE" && dictionary) {
    checkCount(dictionary.num_values, header.uncompressed_page_size);
    return 0;
  }
  const data = header.type === "DATA_PAGE" ? v1 : header.type === "DATA_PAGE_V2" ? v2 : undefined;
  if (!data) throw new Error(`a page is of the kind ${header.type}`);
  checkCount(data.num_values, left);
  if (!READ_ENCODINGS.includes(data.encoding)) throw new Error(`its encoding ${data.encoding} is not read`);
  if (header.type === "DATA_PAGE") checkFirst(header, page, column, levels, data.num_values, data.encoding);
  else checkSecond(header, page, column, levels);
  return data.num_values;
}

/** A page of the first version: both levels and the values are packed together. */
function checkFirst(
  header: PageHeader,
  page: Uint8Array,
  column: ColumnMetaData,
  levels: Levels,
  values: number,
  encoding: string,
): void {
  const bytes = unpack(column.codec, page, header.uncompressed_page_size);
  const reader: DataReader = { view: viewOf(bytes), offset: 0 };
  for (const level of [levels.repetition, levels.definition]) {
    if (level === 0) continue;
    const length = reader.view.getUint32(reader.offset, true);
    const begin = reader.offset + 4;
    checkRuns({ view: reader.view, offset: begin }, bitsOf(level), values);
    reader.offset = begin + length;
  }
  if (encoding.endsWith("DICTIONARY")) checkIndices(reader, values);
}

/** A page of the second version: levels first and never packed, their lengths in the header. */
function checkSecond(header: PageHeader, page: Uint8Array, column: ColumnMetaData, levels: Levels): void {
  const data = header.data_page_header_v2;
  if (!data) return;
  const {
    num_values: values,
    repetition_levels_byte_length: first,
    definition_levels_byte_length: second,
  } = data;
  checkCount(first, page.length);
  checkCount(second, page.length - first);
  checkCount(data.num_nulls, values);
  if (levels.repetition > 0) checkRuns({ view: viewOf(page), offset: 0 }, bitsOf(levels.repetition), values);
  if (levels.definition > 0)
    checkRuns({ view: viewOf(page), offset: first }, bitsOf(levels.definition), values);
  if (!data.encoding.endsWith("DICTIONARY")) return;
  const rest = page.subarray(first + second);
  const size = header.uncompressed_page_size - first - second;
  const bytes = data.is_compressed === false ? rest : unpack(column.codec, rest, size);
  checkIndices({ view: viewOf(bytes), offset: 0 }, values - data.num_nulls);
}

/** Dictionary indices: their width in bits, then runs. */
function checkIndices(reader: DataReader, values: number): void {
  if (reader.offset >= reader.view.byteLength) return;
  const width = reader.view.getUint8(reader.offset++);
  if (width > 0) checkRuns(reader, width, values);
}

/** Runs of the RLE and bit-packed hybrid: none may go on behind the values, but for the filling of the last group of eight. */
function checkRuns(reader: DataReader, width: number, values: number): void {
  if (width > 32) throw new Error(`a page packs ${width} bits a value`);
  for (let seen = 0; seen < values && reader.offset < reader.view.byteLength;) {
    const head = readVarInt(reader);
    const count = (head & 1) === 1 ? (head >>> 1) * 8 : head >>> 1;
    const allowed = values - seen + ((head & 1) === 1 ? 7 : 0);
    if (count < 1 || count > allowed)
      throw new Error(`a run of ${count} values where ${values - seen} are left`);
    reader.offset += (head & 1) === 1 ? (count / 8) * width : Math.ceil(width / 8);
    seen += count;
  }
}

function checkCount(count: number, allowed: number): void {
  if (!(Number.isInteger(count) && count >= 0 && count <= allowed))
    throw new Error(`a page declares ${count} where at most ${allowed} fit`);
}

function bitsOf(level: number): number {
  return 32 - Math.clz32(level);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
