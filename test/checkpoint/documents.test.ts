import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDocuments, readRows } from "#engine/files/documents/readDocuments.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "../golden/texts");
const ROWS = ["", " = Crow = \n", "", ' It said " caw , caw " . \n', "one line\nand another"];

async function written(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

async function documents(name: string, content: string | Uint8Array): Promise<string[]> {
  return readDocuments(await written(name, content));
}

describe("readDocuments", () => {
  it("takes a .txt as one document, exactly as written", async () => {
    expect(await documents("a.txt", "one\r\n\n two ")).toEqual(["one\r\n\n two "]);
  });

  it("takes one document a line from a .jsonl, with or without a last newline", async () => {
    const line = (text: string) => JSON.stringify({ text, id: 1 });
    expect(await documents("a.jsonl", `${line("one")}\n${line("two\nlines")}`)).toEqual([
      "one",
      "two\nlines",
    ]);
    expect(await documents("a.jsonl", `${line("one")}\r\n\n${line("größer")}\n`)).toEqual(["one", "größer"]);
  });

  it("drops a byte order mark in front, and only there", async () => {
    expect(await documents("a.txt", "\ufeffa\ufeffb")).toEqual(["a\ufeffb"]);
    expect(await documents("a.jsonl", '\ufeff{"text":"a"}')).toEqual(["a"]);
  });

  it("leaves out rows without text, which a published WikiText is full of", async () => {
    const path = await written("a.jsonl", ROWS.map((text) => JSON.stringify({ text })).join("\n"));
    expect(await readRows(path)).toEqual(ROWS);
    expect(await readDocuments(path)).toEqual(ROWS.filter((row) => row !== ""));
  });

  it("takes .raw and .tokens, as WikiText is published, like a .txt", async () => {
    for (const name of ["wiki.test.raw", "wiki.test.tokens", "a.TXT"])
      expect(await documents(name, " \n = Crow = \n")).toEqual([" \n = Crow = \n"]);
  });

  it.each(["jsonl", "json", "csv", "parquet"])("reads the rows that pandas wrote as .%s", async (kind) => {
    expect(await readRows(join(GOLDEN, `rows.${kind}`))).toEqual(ROWS);
  });

  it("takes a column `page`, as WikiText's articles have it, and passes over other columns", async () => {
    expect(await documents("a.csv", 'id,page\n1,"a, b"\n2,c\n')).toEqual(["a, b", "c"]);
    expect(await documents("a.json", '[{"page":"a"},{"page":"b","text":"c"}]')).toEqual(["a", "c"]);
  });

  it("takes an empty line of a .csv with texts alone as an empty row", async () => {
    expect(await readRows(await written("a.csv", "\ufefftext\n\na\r\n"))).toEqual(["", "a"]);
  });

  it.each([
    ["an empty file", "a.txt", "", "text/empty", /a\.txt holds no text/],
    ["white space alone", "a.txt", " \n\t\n", "text/empty", /a\.txt holds no text/],
    ["a .jsonl without lines", "a.jsonl", "\n\n", "text/empty", /a\.jsonl holds no text/],
    [
      "rows without text alone",
      "a.jsonl",
      '{"text":""}\n{"text":" "}',
      "text/empty",
      /a\.jsonl holds no text/,
    ],
    [
      "a line that is not JSON",
      "a.jsonl",
      '{"text":"a"}\n\nplain words',
      "text/bad-line",
      /a\.jsonl, line 3, is not valid JSON/,
    ],
    ["a line without text", "a.jsonl", '{"content":"a"}', "text/bad-line", /line 1, has no field "text"/],
    ["a line that is text itself", "a.jsonl", '"a"', "text/bad-line", /line 1, has no field "text"/],
    ["a text that is a number", "a.jsonl", '{"text":1}', "text/bad-line", /line 1, has no field "text"/],
    [
      "bytes that are not UTF-8",
      "a.txt",
      Uint8Array.of(0x61, 0xff),
      "text/not-utf8",
      /a\.txt is not valid UTF-8/,
    ],
    [
      "a line that is not UTF-8",
      "a.jsonl",
      Buffer.concat([Buffer.from('{"text":"a"}\n'), Uint8Array.of(0xc3)]),
      "text/not-utf8",
      /line 2, is not valid UTF-8/,
    ],
    [
      "another kind of file",
      "a.pdf",
      "a,b",
      "text/unknown-kind",
      /^a\.pdf is not of a kind that Keystone reads as text\.$/,
    ],
    ["a .json without an array", "a.json", '{"text":"a"}', "text/bad-file", /holds no JSON array/],
    [
      "a .csv without a column of texts",
      "a.csv",
      "a,b\n1,2",
      "text/no-text-column",
      /no column "text" .*"a", "b"/,
    ],
    ["a .csv whose quotes do not end", "a.csv", 'text\n"a', "text/bad-file", /is no CSV that can be read/],
    [
      "a .csv with a comma that is not quoted",
      "a.csv",
      "id,text\n1,a,b",
      "text/bad-line",
      /line 2, has 3 fields/,
    ],
    ["a .parquet that is none", "a.parquet", "PAR", "text/bad-file", /not a Parquet file that can be read/],
  ])("refuses %s", async (_fact, name, content, code, sentence) => {
    const outcome = documents(name, content);
    await expect(outcome).rejects.toMatchObject({ code });
    await expect(outcome).rejects.toThrow(sentence);
  });

  it("refuses a path without a file", async () => {
    const folder = await temporaryFolder();
    await expect(readDocuments(join(folder, "none.txt"))).rejects.toMatchObject({ code: "text/missing" });
  });
});
