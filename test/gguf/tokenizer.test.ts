import { textsOf } from "#shared/notes.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ggufTokenizer } from "#engine/formats/gguf/read/ggufTokenizer.ts";
import { MetadataReader } from "#engine/formats/gguf/layout/metadata.ts";
import { PRE_TOKENIZERS } from "#engine/formats/gguf/layout/preTokenizerRules.ts";
import { readTokenizerFiles, tokenizerOf, type TokenizerFiles } from "#engine/tokenizer/tokenizerFiles.ts";
import { recognisePreTokenizer } from "#engine/formats/gguf/write/recognisePreTokenizer.ts";
import { tokenizerMetadata } from "#engine/formats/gguf/write/tokenizerMetadata.ts";

const FOLDER = join(import.meta.dirname, "..", "golden", "tokenizer");
const DEMO = join(import.meta.dirname, "..", "..", "resources", "demo-model", "model");
const TEXTS = [
  "The river rose in the night, and by morning the fields were water.",
  "  Two  blanks, a tab\tand\n\nlines. ",
  "don't we'll I'VE 12 1234 3.14 (a) [b] {c} x_y --z",
  "naïve café, Ångström; Привет мир, 你好世界 🙂",
  "",
];

async function filesOf(folder: string): Promise<TokenizerFiles> {
  const files = await readTokenizerFiles(folder);
  if (!files) throw new Error(`${folder} has no tokenizer`);
  return files;
}

function vocabularyOf({ definition }: TokenizerFiles): number {
  const { vocab } = definition["model"] as { vocab: Record<string, number> };
  return 1 + Math.max(...Object.values(vocab));
}

describe("a tokenizer in a GGUF file", () => {
  for (const name of ["byte-level", "metaspace-normalizer", "metaspace-pretokenizer"]) {
    it(`gives the tokens of the tokenizer.json it was made from: ${name}`, async () => {
      const files = await filesOf(join(FOLDER, name));
      const { entries, notes } = tokenizerMetadata(files, vocabularyOf(files), {});
      const metaspace = name === "metaspace-pretokenizer";
      expect(textsOf(notes)).toEqual(
        metaspace ? [expect.stringContaining("a blank in front of every text")] : [],
      );
      const rebuilt = ggufTokenizer(new MetadataReader(entries, "model.gguf"));
      if (!rebuilt) throw new Error("nothing was rebuilt");
      const [expected, found] = [tokenizerOf(files), tokenizerOf(rebuilt)];
      expect([found.bos, found.eos]).toEqual([expected.bos, expected.eos]);
      for (const text of metaspace ? TEXTS.filter((text) => !text.startsWith(" ")) : TEXTS) {
        const ids = expected.encode(text);
        expect(found.encode(text)).toEqual(ids);
        expect(found.decode(ids)).toBe(expected.decode(ids));
      }
    });
  }

  it("has the kinds and special tokens that llama.cpp looks for", async () => {
    const files = await filesOf(join(FOLDER, "metaspace-normalizer"));
    const size = vocabularyOf(files);
    const { entries } = tokenizerMetadata(files, size + 5, { eos_token_id: [2, 7] });
    const value = (key: string): unknown => entries.get(`tokenizer.${key}`)?.value;
    expect(value("ggml.model")).toBe("llama");
    expect([value("ggml.bos_token_id"), value("ggml.eos_token_id")]).toEqual([1, 2]);
    expect(value("ggml.unknown_token_id")).toBe(0);
    expect([value("ggml.add_bos_token"), value("ggml.add_space_prefix")]).toEqual([true, true]);
    const types = value("ggml.token_type") as number[];
    // unknown, two control tokens, a byte, …, five unused ones
    expect(types.slice(0, 4)).toEqual([2, 3, 3, 6]);
    expect(types.slice(-6)).toEqual([1, 5, 5, 5, 5, 5]);
  });

  it("keeps the names of the unknown and the padding token, and an end token that the file asks for behind every text", async () => {
    const files = await filesOf(join(FOLDER, "metaspace-normalizer"));
    const { entries } = tokenizerMetadata(files, vocabularyOf(files), { pad_token_id: 2 });
    const ending = new Map([
      ...entries,
      ["tokenizer.ggml.add_eos_token", { type: "bool", value: true }] as const,
    ]);
    const rebuilt = ggufTokenizer(new MetadataReader(ending, "model.gguf"));
    if (!rebuilt) throw new Error("nothing was rebuilt");
    expect(rebuilt.config).toMatchObject({ unk_token: "<unk>", pad_token: "</s>" });
    expect(rebuilt.definition["post_processor"]).toMatchObject({
      single: [
        { SpecialToken: { id: "<s>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "</s>", type_id: 0 } },
      ],
    });
    expect(tokenizerOf(rebuilt).bos).toBe(1);
  });

  it("is refused where a token lies outside the embedding, or the tokenizer is no BPE", async () => {
    const files = await filesOf(join(FOLDER, "byte-level"));
    expect(() => tokenizerMetadata(files, 10, {})).toThrow(/ids 0 to 9 only/);
    const unigram = { ...files, definition: { model: { type: "Unigram", vocab: [] } } };
    expect(() => tokenizerMetadata(unigram, 10, {})).toThrow(/cannot be put into a GGUF file/);
  });
});

describe("llama.cpp's rules for cutting words", () => {
  const demo = JSON.parse(readFileSync(join(DEMO, "tokenizer.json"), "utf8")) as Record<string, unknown>;
  const model = demo["model"] as object;

  for (const rules of PRE_TOKENIZERS) {
    it(`are recognised by what they do: ${rules.name}`, () => {
      const definition = {
        ...demo,
        pre_tokenizer: rules.definition,
        model: { ...model, ignore_merges: rules.ignoreMerges },
      };
      const found = recognisePreTokenizer(definition);
      expect(found.differing).toEqual([]);
      // a small vocabulary may not tell two sets of rules apart; those found must do the same
      const again = { ...definition, pre_tokenizer: found.rules.definition };
      for (const text of TEXTS) {
        const [a, b] = [definition, again].map((each) =>
          tokenizerOf({ definition: each, config: {}, specials: {} }).encode(text),
        );
        expect(a).toEqual(b);
      }
    });
  }

  it("must fit: where none does, the nearest and a text that they cut otherwise are named, and nothing is written", async () => {
    const files = await filesOf(join(FOLDER, "byte-level"));
    const definition = { ...files.definition, pre_tokenizer: { type: "ByteLevel", add_prefix_space: true } };
    const write = () => tokenizerMetadata({ ...files, definition }, vocabularyOf(files), {});
    expect(write).toThrow(/of those "gpt-2" comes nearest\. One such text: "/);
  });
});
