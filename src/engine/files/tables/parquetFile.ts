import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import {
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
  type RowGroup,
} from "hyparquet";
import { badParquet, unreadable } from "./tableErrors.ts";
import { COMPRESSORS } from "./parquetCodecs.ts";
import { checkFooter, checkGroup } from "./parquetLimits.ts";
import type { Row, RowFile } from "./rows.ts";

/** The first and last bytes of a Parquet file. */
export const PARQUET_MAGIC = "PAR1";

/**
 * A Parquet file. Its footer is read and checked when it is opened; rows come one row group at a time, of the asked columns
 * alone, so that one group is in memory. Sizes are checked before anything of that size is allocated.
 * @throws KeystoneError tasks/unreadable, tasks/bad-parquet
 */
export async function parquetFile(path: string): Promise<RowFile> {
  const file = basename(path);
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const buffer = await bufferOf(handle);
    await checkFooter(buffer);
    const footer = await parquetMetadataAsync(buffer, { geoparquet: false });
    return {
      columns: parquetSchema(footer).children.map(({ element }) => element.name),
      rows: (columns) => groupRows(buffer, footer, file, columns),
      close: () => handle.close(),
    };
  } catch (cause) {
    await handle.close();
    throw badParquet(file, cause);
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      if (start < 0 || end < start || end > size) throw new Error(`bytes ${start} to ${end} of ${size}`);
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length;) {
        const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) throw new Error(`it ends at byte ${start + done}`);
        done += bytesRead;
      }
      return bytes.buffer;
    },
  };
}

async function* groupRows(
  buffer: AsyncBuffer,
  footer: FileMetaData,
  file: string,
  columns?: readonly string[],
): AsyncGenerator<Row> {
  let line = 0;
  for (const group of footer.row_groups) {
    const values = await groupValues(buffer, footer, group, columns).catch((cause: unknown) => {
      throw badParquet(file, cause);
    });
    for (const value of values) yield { line: ++line, value: plain(value) };
  }
}

async function groupValues(
  buffer: AsyncBuffer,
  footer: FileMetaData,
  group: RowGroup,
  columns?: readonly string[],
): Promise<Record<string, unknown>[]> {
  await checkGroup(buffer, footer, group, columns);
  return parquetReadObjects({
    file: buffer,
    metadata: { ...footer, row_groups: [group] },
    compressors: COMPRESSORS,
    ...(columns ? { columns: [...columns] } : {}),
  });
}

/** Whole numbers come as bigints, numbers of a list as typed arrays: both as JSON would have them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as Iterable<unknown>, plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}
