import {
  parquetSchema,
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  type RowGroup,
} from "hyparquet";
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import { checkPages } from "./parquetPages.ts";

/** The footer of a file with thousands of row groups takes a few megabytes. */
const MAX_FOOTER_BYTES = 64 * 2 ** 20;
/** The asked columns of one row group, packed or unpacked. Writers make groups of 1,000 to a million rows, well below this. */
const MAX_GROUP_BYTES = 512 * 2 ** 20;
/** Values of one column in one group: a million rows, each with a list of several. */
const MAX_VALUES = 8_000_000;
/** Behind the footer: its length and the magic bytes. */
const TRAILER_BYTES = 8;

/** Checks what a footer says about its own size. @throws Error with the reason */
export async function checkFooter(file: AsyncBuffer): Promise<void> {
  if (file.byteLength < TRAILER_BYTES + 4) throw new Error("it is too short");
  const trailer = new DataView(await file.slice(file.byteLength - TRAILER_BYTES));
  if (trailer.getUint32(4, true) !== 0x31524150) throw new Error("it does not end with PAR1");
  const length = trailer.getUint32(0, true);
  atMost("its footer", length, Math.min(MAX_FOOTER_BYTES, file.byteLength - TRAILER_BYTES - 4));
}

/**
 * Checks every size that a row group and its pages declare for the asked columns, before they are unpacked.
 * @throws Error with the reason
 */
export async function checkGroup(
  file: AsyncBuffer,
  footer: FileMetaData,
  group: RowGroup,
  columns?: readonly string[],
): Promise<void> {
  const tree = parquetSchema(footer);
  let total = 0;
  for (const { meta_data: column } of group.columns) {
    if (!column) throw new Error("a column has no description");
    if (columns && !columns.includes(column.path_in_schema[0])) continue;
    const [begin, end] = rangeOf(column, file.byteLength);
    total += Math.max(end - begin, Number(column.total_uncompressed_size));
    atMost("a row group", total, MAX_GROUP_BYTES);
    atMost("a column", Number(column.num_values), MAX_VALUES, "values");
    atMost("a row group", Number(group.num_rows), Number(column.num_values), "rows");
    const path = getTreePath(tree, column.path_in_schema);
    const levels = { repetition: getMaxRepetitionLevel(path), definition: getMaxDefinitionLevel(path) };
    checkPages(new Uint8Array(await file.slice(begin, end)), column, levels);
  }
}

/** Where the bytes of a column's pages lie. */
function rangeOf(column: ColumnMetaData, fileBytes: number): [number, number] {
  const begin = Number(column.dictionary_page_offset || column.data_page_offset);
  const end = begin + Number(column.total_compressed_size);
  if (!(begin >= 4 && end >= begin && end <= fileBytes))
    throw new Error(
      `column "${column.path_in_schema.join(".")}" lies at bytes ${begin} to ${end} of ${fileBytes}`,
    );
  return [begin, end];
}

function atMost(what: string, value: number, allowed: number, unit = "bytes"): void {
  if (value >= 0 && value <= allowed) return;
  const said = [value, allowed].map((n) => n.toLocaleString("en-US"));
  throw new Error(`${what} declares ${said[0]} ${unit} where at most ${said[1]} are read`);
}
