import { basename } from "node:path";
import { PLAIN_TEXT_ENDINGS, ROW_TEXT_ENDINGS, TEXT_ENDINGS, endingOf } from "#shared/texts.ts";
import { list } from "#shared/format.ts";
import { KeystoneError } from "#shared/errors.ts";
import { decodeText, readTextBytes, textFault } from "./textBytes.ts";
import { csvTexts, jsonTexts, lineTexts, parquetTexts } from "./textRows.ts";

/**
 * The rows of a text file, blank ones included: `.txt`, `.raw` and `.tokens` are one; `.jsonl`, `.ndjson`, `.json`, `.csv` and
 * `.parquet` hold one a row, in the column `text` (or `page`). UTF-8; a byte order mark is dropped.
 * @throws KeystoneError text/missing, text/unknown-kind, text/too-large, text/read-failed, text/not-utf8, text/bad-line,
 *   text/bad-file, text/no-text-column, text/empty
 */
export async function readRows(path: string): Promise<string[]> {
  const rows = await rowsOf(path);
  if (rows.every((row) => row.trim() === ""))
    throw textFault(
      basename(path),
      null,
      "text/empty",
      "holds no text",
      "Give a text with at least a sentence in it.",
    );
  return rows;
}

/**
 * The rows that hold text, each as a document.
 * @throws KeystoneError as {@link readRows}
 */
export async function readDocuments(path: string): Promise<string[]> {
  return (await readRows(path)).filter((row) => row.trim() !== "");
}

async function rowsOf(path: string): Promise<string[]> {
  const file = basename(path);
  const kind = endingOf(file);
  if (!TEXT_ENDINGS.includes(kind)) throw unknownKind(file);
  const bytes = await readTextBytes(path, kind !== "parquet");
  switch (kind) {
    case "jsonl":
    case "ndjson":
      return lineTexts(bytes, file);
    case "json":
      return jsonTexts(bytes, file);
    case "csv":
      return csvTexts(bytes, file);
    case "parquet":
      return parquetTexts(path);
    default:
      return [decodeText(bytes, file, null)];
  }
}

function unknownKind(file: string): KeystoneError {
  const endings = (names: readonly string[]): string => list(names.map((name) => `.${name}`));
  return new KeystoneError(
    "text/unknown-kind",
    `${file} is not of a kind that Keystone reads as text.`,
    `Choose plain text as ${endings(PLAIN_TEXT_ENDINGS)}, or rows with a column "text" as ${endings(ROW_TEXT_ENDINGS)}.`,
    { file },
  );
}
