import { textsOf } from "#shared/notes.ts";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ggufTokenizer } from "#engine/formats/gguf/read/ggufTokenizer.ts";
import { MetadataReader, type MetadataEntry } from "#engine/formats/gguf/layout/metadata.ts";
import { readTokenizerFiles, tokenizerOf } from "#engine/tokenizer/tokenizerFiles.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { tokenizerMetadata } from "#engine/formats/gguf/write/tokenizerMetadata.ts";

const GOLDEN = join(import.meta.dirname, "../golden/tokenizer");
const [BYTE_LEVEL, PIECES] = ["byte-level", "metaspace-normalizer"];

/** A golden tokenizer from a GGUF file without some keys, its rules under a name. */
async function silent(name: string, without: readonly string[], pre?: string): Promise<Tokenizer> {
  const files = await readTokenizerFiles(join(GOLDEN, name));
  if (!files) throw new Error(`${name} has no tokenizer`);
  const entries = new Map<string, MetadataEntry>(tokenizerMetadata(files, 800, {}).entries);
  if (pre !== undefined) entries.set("tokenizer.ggml.pre", { type: "string", value: pre });
  for (const key of without) entries.delete(`tokenizer.ggml.${key}`);
  const read = ggufTokenizer(new MetadataReader(entries, "model.gguf"));
  if (!read) throw new Error("there is no tokenizer");
  return tokenizerOf(read);
}

// what llama.cpp's library takes of the same vocabularies is held against this in `npm run peers -- gguf`
describe("a GGUF file without add_bos_token", () => {
  it.each(["llama-bpe", "llama3", "falcon3", "pixtral", "lfm2", "tekken"])(
    "has BOS in front of every text by the rules %s",
    async (pre) => expect((await silent(BYTE_LEVEL, ["add_bos_token"], pre)).bos).toBe(0),
  );

  it.each(["gpt-2", "qwen2", "smollm", "gpt-4o", "llama4", "smaug-bpe", "default"])(
    "has none by the rules %s",
    async (pre) => expect((await silent(BYTE_LEVEL, ["add_bos_token"], pre)).bos).toBeNull(),
  );

  it("has one where its tokenizer is a Llama's", async () => {
    expect((await silent(PIECES, ["add_bos_token"])).bos).toBe(1);
  });

  it("says by it what it does, where it is there", async () => {
    expect((await silent(BYTE_LEVEL, [], "gpt-2")).bos).toBe(0);
  });
});

describe("a GGUF file that names no BOS and no EOS", () => {
  it("means the tokens 1 and 2 where its tokenizer is a Llama's, and 11 in front where its rules lead with BOS", async () => {
    const nameless = ["add_bos_token", "bos_token_id", "eos_token_id"];
    expect(await silent(PIECES, nameless)).toMatchObject({ bos: 1, eos: 2 });
    expect(await silent(BYTE_LEVEL, nameless, "llama-bpe")).toMatchObject({ bos: 11, eos: null });
    expect(await silent(BYTE_LEVEL, nameless, "gpt-2")).toMatchObject({ bos: null, eos: null, prefix: null });
  });
});

describe("a GGUF file without rules for cutting words", () => {
  it("says so, and that llama.cpp's default is followed", async () => {
    const { notes } = await silent(BYTE_LEVEL, ["pre"]);
    expect(textsOf(notes ?? [])).toEqual([
      expect.stringMatching(/tokenizer\.ggml\.pre is missing.*default rules/),
    ]);
  });

  it("has nothing to say where it names them, or where a Llama's tokenizer needs none", async () => {
    expect((await silent(BYTE_LEVEL, [], "default")).notes).toEqual([]);
    expect((await silent(PIECES, ["pre"])).notes).toEqual([]);
  });
});
