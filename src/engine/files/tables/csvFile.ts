import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { csvRecords } from "../csvRecords.ts";
import { badCsv, tooLarge, unreadable } from "./tableErrors.ts";
import type { Row, RowFile } from "./rows.ts";
import { splitless } from "./splitName.ts";

/** A CSV file is parsed whole. */
const MAX_CSV_BYTES = 256 * 2 ** 20;
const CHOICES = ["A", "B", "C", "D"];
/** What MMLU's own files hold, without a line that names it. */
const MMLU_COLUMNS = ["question", ...CHOICES, "answer"];

/**
 * A CSV file: its first record names the columns, or is a question where they are MMLU's own, which name none (question, four
 * choices, a letter). Those four are one column `choices`, as they are published elsewhere, and the file's name is the subject.
 * @throws KeystoneError tasks/unreadable, tasks/too-large, tasks/bad-csv
 */
export async function csvFile(path: string): Promise<RowFile> {
  const file = basename(path);
  const records = csvRecordsOf(file, await bytesOf(path)).map((values, i) => ({ values, line: i + 1 }));
  const named = !isMmlu(records[0]?.values ?? []);
  const columns = named ? (records.shift()?.values ?? []) : MMLU_COLUMNS;
  const isWhole = MMLU_COLUMNS.every((column) => columns.includes(column));
  const subject = splitless(file);
  const shape = (row: Record<string, string>): Record<string, unknown> =>
    isWhole ? { subject, ...row, choices: CHOICES.map((letter) => row[letter]) } : row;
  const blank = ({ values }: { values: readonly string[] }): boolean => values.join("") === "";
  async function* rows(): AsyncGenerator<Row> {
    for (const record of records) if (!blank(record)) yield rowOf(record, columns, shape);
  }
  return {
    columns: isWhole ? [...columns, "choices", "subject"] : columns,
    rows,
    close: async () => {},
  };
}

function rowOf(
  { values, line }: { values: readonly string[]; line: number },
  columns: readonly string[],
  shape: (row: Record<string, string>) => Record<string, unknown>,
): Row {
  if (values.length !== columns.length)
    return { line, reason: `has ${values.length} fields where there are ${columns.length} columns` };
  return { line, value: shape(Object.fromEntries(columns.map((column, i) => [column, values[i]]))) };
}

function isMmlu(record: readonly string[]): boolean {
  return record.length === MMLU_COLUMNS.length && CHOICES.includes(record[record.length - 1].trim());
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (size > MAX_CSV_BYTES) throw tooLarge(basename(path), "CSV", size, MAX_CSV_BYTES);
  return readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
}

function csvRecordsOf(file: string, bytes: Uint8Array): string[][] {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return csvRecords(bytes);
  } catch (cause) {
    throw badCsv(file, cause);
  }
}
