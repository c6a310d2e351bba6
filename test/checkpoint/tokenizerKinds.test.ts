import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createNormalizer } from "#engine/tokenizer/pipeline/normalizers.ts";
import { createPreTokenizer } from "#engine/tokenizer/pipeline/preTokenizers.ts";
import { Tokenizer } from "#engine/tokenizer/pipeline/exactTokenizer.ts";

interface Golden {
  unicode: string;
  assigned: [number, number][];
  texts: string[];
  preTokenizers: { config: object; words: string[][]; every: string }[];
  normalizers: { config: object; written: string[]; every: string }[];
  models: { model: object; rows: [string, number[]][] }[];
  added: { definition: Record<string, unknown>; rows: [string, number[]][] };
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, "../golden/tokenizer/kinds.json"), "utf8"),
) as Golden;
const characters = golden.assigned.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i)),
);

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}

function named<T extends { config: object }>(cases: readonly T[]): (T & { name: string })[] {
  return cases.map((each) => ({ ...each, name: JSON.stringify(each.config) }));
}

describe("a pre-tokenizer cuts as Hugging Face's Rust library does", () => {
  it.each(named(golden.preTokenizers))("$name", ({ config, words, every }) => {
    const cut = createPreTokenizer(config);
    for (const [i, text] of golden.texts.entries())
      expect(cut(text, true), JSON.stringify(text)).toEqual(words[i]);
    expect(digest(characters.map((character) => cut(`a${character}b`, true).join("\x1f")))).toBe(every);
  });
});

describe("a normalizer writes what Hugging Face's Rust library does", () => {
  it.each(named(golden.normalizers))("$name", ({ config, written, every }) => {
    const normalize = createNormalizer(config);
    for (const [i, text] of golden.texts.entries())
      expect(normalize(text), JSON.stringify(text)).toBe(written[i]);
    expect(digest(characters.map((character) => normalize(`a${character}`)))).toBe(every);
  });
});

describe("a model gives the ids of Hugging Face's Rust library", () => {
  const rest = {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
  };
  it.each(golden.models.map(({ model, rows }, i) => ({ i, model, rows })))("model $i", ({ model, rows }) => {
    const tokenizer = new Tokenizer({ ...rest, model });
    for (const [text, ids] of rows) expect(tokenizer.encode(text), text).toEqual(ids);
  });
});

describe("added tokens", () => {
  it("are found as Hugging Face's Rust library finds them: flags, overlaps, normalized ones, the longest first", () => {
    const tokenizer = new Tokenizer(golden.added.definition);
    for (const [text, ids] of golden.added.rows)
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });
});
