import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { TEXT_COLUMNS, textOf } from "#shared/texts.ts";
import { parquetFile } from "../tables/parquetFile.ts";
import { csvRecords } from "../csvRecords.ts";
import { decodeText, textFault } from "./textBytes.ts";

const NEWLINE = 0x0a;
const SUCH_AS = 'Every row is an object such as {"text": "…"}.';

/** The texts of JSON lines; blank lines are no rows. @throws KeystoneError text/bad-line, text/not-utf8 */
export function lineTexts(bytes: Uint8Array, file: string): string[] {
  const texts: string[] = [];
  for (let begin = 0, line = 1; begin < bytes.byteLength; line++) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const end = newline === -1 ? bytes.byteLength : newline;
    const json = decodeText(bytes.subarray(begin, end), file, line);
    if (json.trim() !== "") texts.push(rowText(parseJson(json, file, line), file, line));
    begin = end + 1;
  }
  return texts;
}

/** The texts of a JSON array of objects. @throws KeystoneError text/bad-line, text/bad-file, text/not-utf8 */
export function jsonTexts(bytes: Uint8Array, file: string): string[] {
  const value = parseJson(decodeText(bytes, file, null), file, null);
  if (!Array.isArray(value))
    throw textFault(
      file,
      null,
      "text/bad-file",
      "holds no JSON array",
      'Give an array of rows such as [{"text": "…"}], or JSON lines as .jsonl.',
    );
  return value.map((row, i) => rowText(row, file, i + 1));
}

/** The texts of a CSV file whose first record names its columns. @throws KeystoneError text/bad-file, text/no-text-column, text/bad-line */
export function csvTexts(bytes: Uint8Array, file: string): string[] {
  decodeText(bytes, file, null);
  let records: string[][];
  try {
    records = csvRecords(bytes);
  } catch (cause) {
    throw badFile(file, "CSV", cause);
  }
  const [columns = [], ...rows] = records;
  const column = textColumn(columns, file);
  const texts: string[] = [];
  for (const [i, row] of rows.entries()) {
    // an empty line is an empty text where the text is the only column, and nothing elsewhere
    if (row.length === 1 && row[0] === "" && columns.length > 1) continue;
    if (row.length !== columns.length)
      throw textFault(
        file,
        i + 2,
        "text/bad-line",
        `has ${row.length} fields where the first row names ${columns.length}`,
        "Put texts with commas, quotes or line breaks in double quotes.",
      );
    texts.push(row[columns.indexOf(column)]);
  }
  return texts;
}

/** The texts of a Parquet file. @throws KeystoneError text/bad-file, text/no-text-column, text/bad-line */
export async function parquetTexts(path: string): Promise<string[]> {
  const file = basename(path);
  const rows = await parquetFile(path).catch((cause: unknown) => {
    throw badFile(file, "Parquet", cause);
  });
  try {
    const column = textColumn(rows.columns ?? [], file);
    const texts: string[] = [];
    for await (const row of rows.rows([column]))
      texts.push(rowText("value" in row ? row.value : null, file, row.line));
    return texts;
  } catch (cause) {
    throw cause instanceof KeystoneError && cause.code.startsWith("text/")
      ? cause
      : badFile(file, "Parquet", cause);
  } finally {
    await rows.close();
  }
}

function parseJson(json: string, file: string, line: number | null): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw textFault(file, line, "text/bad-line", "is not valid JSON", SUCH_AS, cause);
  }
}

function rowText(row: unknown, file: string, line: number): string {
  const text = textOf(row);
  if (text === null)
    throw textFault(file, line, "text/bad-line", 'has no field "text" that holds text', SUCH_AS);
  return text;
}

function textColumn(columns: readonly string[], file: string): string {
  const found = TEXT_COLUMNS.find((column) => columns.includes(column));
  if (found !== undefined) return found;
  const named = columns.slice(0, 8).map((column) => `"${column.slice(0, 40)}"`);
  throw textFault(
    file,
    null,
    "text/no-text-column",
    `has no column "text" (its columns: ${named.join(", ")})`,
    'Name the column with the texts "text".',
  );
}

function badFile(file: string, kind: string, cause: unknown): KeystoneError {
  if (cause instanceof KeystoneError)
    return new KeystoneError("text/bad-file", cause.message, cause.next, { file }, { cause });
  const reason = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
  return textFault(
    file,
    null,
    "text/bad-file",
    `is no ${kind} that can be read: ${reason}`,
    "Check that the file is complete.",
    cause,
  );
}
