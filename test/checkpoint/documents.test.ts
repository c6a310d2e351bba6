import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDocuments } from "#engine/checkpoint/readDocuments.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

async function documents(name: string, content: string | Uint8Array): Promise<string[]> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return readDocuments(path);
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

  it.each([
    ["an empty file", "a.txt", "", "text/empty", /a\.txt holds no text/],
    ["white space alone", "a.txt", " \n\t\n", "text/empty", /a\.txt holds no text/],
    ["a .jsonl without lines", "a.jsonl", "\n\n", "text/empty", /a\.jsonl holds no text/],
    [
      "a document without text",
      "a.jsonl",
      '{"text":"a"}\n{"text":" "}',
      "text/empty",
      /a\.jsonl, line 2, holds no text/,
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
    ["another kind of file", "a.csv", "a,b", "text/unknown-kind", /neither a \.txt nor a \.jsonl/],
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
