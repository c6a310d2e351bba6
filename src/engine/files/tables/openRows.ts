import { open } from "node:fs/promises";
import { endingOf } from "#shared/texts.ts";
import { csvFile } from "./csvFile.ts";
import { unreadable } from "./tableErrors.ts";
import { jsonFile } from "./jsonRows.ts";
import { PARQUET_MAGIC, parquetFile } from "./parquetFile.ts";
import type { RowFile } from "./rows.ts";

/** As many first bytes as tell the kinds of file apart. */
const HEAD_BYTES = 4096;

/**
 * Opens a file of rows; what it is, its first bytes say, of CSV its name.
 * @throws KeystoneError tasks/unreadable, tasks/too-large, tasks/bad-parquet, tasks/bad-csv
 */
export async function openRows(path: string): Promise<RowFile> {
  const head = await firstBytes(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (endingOf(path) === "csv") return csvFile(path);
  const magic = Buffer.from(head.subarray(0, PARQUET_MAGIC.length)).toString("latin1");
  return magic === PARQUET_MAGIC ? parquetFile(path) : jsonFile(path, head);
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
