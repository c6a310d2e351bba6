import { readFileSync } from "node:fs";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { readTokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "../golden/tokenizer");

interface Case {
  name: string;
  files: Record<string, object>;
  added: { id: number; content: string }[];
  rows: [string, number[]][];
}
const cases = JSON.parse(readFileSync(join(GOLDEN, "files.json"), "utf8")) as Case[];

async function folderWith(files: Record<string, object>): Promise<string> {
  const folder = await temporaryFolder();
  await copyFile(join(GOLDEN, "byte-level/tokenizer.json"), join(folder, "tokenizer.json"));
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
  return folder;
}

describe("tokens that stand beside tokenizer.json are those of transformers", () => {
  it.each(cases)("$name", async ({ files, added, rows }) => {
    const folder = await folderWith(files);
    const read = await readTokenizerFiles(folder);
    const found = read?.definition["added_tokens"] as typeof added;
    expect([...found].sort((a, b) => a.id - b.id)).toEqual(added);
    const tokenizer = await loadTokenizer(folder);
    for (const [text, ids] of rows) expect(tokenizer.encode(text), text).toEqual(ids);
  });

  it("a file that names a token without a text is refused", async () => {
    const folder = await folderWith({
      "tokenizer_config.json": { added_tokens_decoder: { 700: { lstrip: true } } },
    });
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "tokenizer/unsupported" });
  });
});
