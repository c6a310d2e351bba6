import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KeystoneError } from "#shared/errors.ts";
import { openRows } from "./openRows.ts";
import type { Row } from "./rows.ts";

const FOLDER = join(import.meta.dirname, "../../../../test/golden/tasks/parquet");
const COLUMNS = ["context", "choices", "gold"];
const expected = JSON.parse(readFileSync(join(FOLDER, "rows.json"), "utf8")) as unknown[];

async function rowsOf(path: string): Promise<Row[]> {
  const file = await openRows(path);
  try {
    const rows: Row[] = [];
    for await (const row of file.rows(COLUMNS)) rows.push(row);
    return rows;
  } finally {
    await file.close();
  }
}

describe("a Parquet file", () => {
  it.each([
    "uncompressed",
    "snappy",
    "gzip",
    "brotli",
    "zstd",
    "plain",
    "pages-v2",
    "pages-v2-plain",
    "row-groups",
    "small-pages",
    "delta-lengths",
    "wide",
    "more-columns",
  ])("written as %s gives the rows that were written", async (name) => {
    const rows = await rowsOf(join(FOLDER, `${name}.parquet`));
    expect(rows).toEqual(expected.map((value, i) => ({ line: i + 1, value })));
  });

  it("says its columns without reading rows", async () => {
    const file = await openRows(join(FOLDER, "more-columns.parquet"));
    expect(file.columns).toEqual([...COLUMNS, "embedding", "seen"]);
    await file.close();
  });

  it("may have no rows", async () => {
    expect(await rowsOf(join(FOLDER, "empty.parquet"))).toEqual([]);
  });

  it.each([
    ["lz4", /packed with LZ4/],
    ["delta-texts", /encoding DELTA_BYTE_ARRAY is not read/],
  ])("written as %s is refused with what it is", async (name, sentence) => {
    await expect(rowsOf(join(FOLDER, `${name}.parquet`))).rejects.toThrow(sentence);
  });
});

describe("a damaged Parquet file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "keystone-parquet-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const opened = async (bytes: Uint8Array): Promise<Row[]> => {
    const path = join(folder, "file.parquet");
    await writeFile(path, bytes);
    return rowsOf(path);
  };
  const valid = (name: string): Buffer => readFileSync(join(FOLDER, `${name}.parquet`));

  it("that ends early is refused", async () => {
    const bytes = valid("snappy");
    for (const length of [4, 11, 12, 200, bytes.length - 1])
      await expect(opened(bytes.subarray(0, length))).rejects.toMatchObject({ code: "tasks/bad-parquet" });
  });

  it("whose footer claims to be larger than the file is refused before it is read", async () => {
    const bytes = valid("snappy");
    bytes.writeUInt32LE(0xfffffff0, bytes.length - 8);
    await expect(opened(bytes)).rejects.toThrow(/its footer declares 4,294,967,280 bytes/);
  });

  it("gives rows or one sentence, whatever its bytes say", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("snappy", "plain", "pages-v2", "row-groups", "delta-lengths", "uncompressed"),
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
            fc.integer({ min: 0, max: 255 }),
          ),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (name, changes) => {
          const bytes = valid(name);
          for (const [where, value] of changes) bytes[4 + Math.floor(where * (bytes.length - 12))] = value;
          await opened(bytes).catch((error: unknown) => {
            expect(error).toBeInstanceOf(KeystoneError);
          });
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});
