import { textsOf } from "#shared/notes.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ggufTokenizer } from "#engine/formats/gguf/read/ggufTokenizer.ts";
import { MetadataReader } from "#engine/formats/gguf/layout/metadata.ts";
import { readTokenizerFiles, tokenizerOf, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import { tokenizerMetadata } from "#engine/formats/gguf/write/tokenizerMetadata.ts";

const GOLDEN = join(import.meta.dirname, "../golden/tokenizer");
const ROWS = 1000;

async function golden(name: string): Promise<TokenizerFiles> {
  const files = await readTokenizerFiles(join(GOLDEN, name));
  if (!files) throw new Error(`${name} has no tokenizer`);
  return files;
}

type Flags = Partial<Record<"single_word" | "lstrip" | "rstrip" | "normalized" | "special", boolean>>;

/** A golden tokenizer with one more token. */
async function withToken(name: string, content: string, flags: Flags): Promise<TokenizerFiles> {
  const files = await golden(name);
  const token = {
    id: 700,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  };
  const there = files.definition["added_tokens"] as object[];
  return { ...files, definition: { ...files.definition, added_tokens: [...there, { ...token, ...flags }] } };
}

function written(files: TokenizerFiles, name = "") {
  const { entries, notes } = tokenizerMetadata(files, ROWS, {}, name);
  const read = ggufTokenizer(
    new MetadataReader(new Map(entries).set("general.name", { type: "string", value: name }), "model.gguf"),
  );
  if (!read) throw new Error("nothing was written");
  return { tokenizer: tokenizerOf(read), notes };
}

describe("an added token in a GGUF file", () => {
  const cases = JSON.parse(readFileSync(join(GOLDEN, "files.json"), "utf8")) as {
    name: string;
    rows: [string, number[]][];
    added: (Flags & { content: string })[];
  }[];
  const plain = cases.filter(
    ({ added }) => !added.some(({ lstrip, rstrip, single_word }) => lstrip || rstrip || single_word),
  );

  it.each(plain)("is the one that transformers has: $name", async ({ added, rows }) => {
    const files = await golden("byte-level");
    const { tokenizer } = written({ ...files, definition: { ...files.definition, added_tokens: added } });
    for (const [text, ids] of rows) expect(tokenizer.encode(text), text).toEqual(ids);
    expect(plain.length).toBeGreaterThan(8);
  });

  it.each([
    ["single_word", /it counts only where it stands alone \(single_word\)/],
    ["lstrip", /blanks in front of it belong to it \(lstrip\)/],
    ["rstrip", /blanks behind it belong to it \(rstrip\)/],
  ] as const)("is refused with %s, which llama.cpp cannot do", async (flag, reason) => {
    for (const name of ["byte-level", "metaspace-normalizer", "metaspace-pretokenizer"]) {
      const files = await withToken(name, "<|im_end|>", { [flag]: true });
      expect(() => written(files), name).toThrow(reason);
    }
  });

  it("keeps rstrip where llama.cpp does: in a model called Phi-3 that has that model's tokens", async () => {
    let files = await golden("byte-level");
    for (const [content, rstrip] of [
      ["<unk>", false],
      ["<s>", false],
      ["</s>", true],
      ["<|endoftext|>", false],
      ["<|end|>", true],
    ] as const) {
      const there = files.definition["added_tokens"] as object[];
      const token = {
        id: 700 + there.length,
        content,
        lstrip: false,
        single_word: false,
        normalized: false,
        rstrip,
        special: true,
      };
      files = { ...files, definition: { ...files.definition, added_tokens: [...there, token] } };
    }
    // the two tokens of its own keep their blanks, which llama.cpp takes
    expect(() => written(files, "Phi-3-mini")).toThrow(
      /strips blanks behind "<\|begin_of_text\|>" in a model with "phi-3" in its name/,
    );
    const own = (files.definition["added_tokens"] as { content: string; rstrip: boolean }[]).map((token) => ({
      ...token,
      rstrip: token.rstrip || token.content.startsWith("<|begin") || token.content === "<|end_of_text|>",
    }));
    files = { ...files, definition: { ...files.definition, added_tokens: own } };
    expect(written(files, "Phi-3-mini").tokenizer.encode("a<|end|>  b")).toEqual(
      tokenizerOf(files).encode("a<|end|>  b"),
    );
    expect(() => written(files, "another")).toThrow(/rstrip/);
  });

  it("is left out with a note where the model has no row for it", async () => {
    const files = await withToken("byte-level", "[PAD]", {});
    const { notes } = tokenizerMetadata(files, 700, {});
    expect(textsOf(notes)).toEqual([
      expect.stringMatching(/no row for \(ids past 699\): \[PAD\]\. They are left out/),
    ]);
  });
});

describe("a tokenizer that llama.cpp has no kind for is refused", () => {
  it("a Llama's without byte fallback, whose blanks a byte-level one would lose", async () => {
    for (const name of ["metaspace-normalizer", "metaspace-pretokenizer"]) {
      const files = await golden(name);
      const model = { ...(files.definition["model"] as object), byte_fallback: false };
      const without = { ...files, definition: { ...files.definition, model } };
      expect(() => written(without), name).toThrow(/neither into bytes \(ByteLevel\).*byte_fallback/);
    }
  });

  it("one with byte fallback that lacks a byte", async () => {
    const files = await golden("metaspace-normalizer");
    const model = files.definition["model"] as { vocab: Record<string, number> };
    const vocab = Object.fromEntries(
      Object.entries(model.vocab).map(([text, id]) => [text === "<0xE2>" ? "€€" : text, id]),
    );
    const without = { ...files, definition: { ...files.definition, model: { ...model, vocab } } };
    expect(() => written(without)).toThrow(/a token for every byte, and this vocabulary has none for <0xE2>/);
  });

  it("one that lowercases", async () => {
    const files = await golden("metaspace-normalizer");
    const { normalizer } = files.definition as { normalizer: { normalizers: object[] } };
    const lowers = { type: "Sequence", normalizers: [{ type: "Lowercase" }, ...normalizer.normalizers] };
    const changed = { ...files, definition: { ...files.definition, normalizer: lowers } };
    expect(() => written(changed)).toThrow(/llama\.cpp would cut texts into other tokens/);
  });

  it("normalizes a text to NFC: said in a note, since most texts are", async () => {
    const files = await golden("byte-level");
    const definition = { ...files.definition, normalizer: { type: "NFC" } };
    expect(textsOf(written({ ...files, definition }).notes)).toEqual([
      expect.stringMatching(/does not normalize texts \(NFC\)/),
    ]);
  });
});
