import { describe, expect, it } from "vitest";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { encodeRequest, type EncodedRequest } from "./encodeRequest.ts";

const [BOS, EOS] = [1, 2];

/** One token a character, but for "th", which is one. */
const characters = (bos: number | null, prefix: number | null = bos ?? EOS): Tokenizer => ({
  encode: (text) => Array.from(text.replaceAll("th", "þ"), (c) => (c === "^" ? BOS : c.charCodeAt(0))),
  decode: String,
  tokenText: String,
  bos,
  eos: EOS,
  prefix,
});
const encode = (context: string, continuation: string, tokenizer = characters(BOS), positions = 16) =>
  encodeRequest({ context, continuation }, tokenizer, positions);
const shown = (made: EncodedRequest | string): string => {
  if (typeof made === "string") throw new Error(made);
  const text = (ids: readonly number[]): string =>
    ids.map((id) => (id === BOS ? "^" : id === EOS ? "$" : String.fromCharCode(id))).join("");
  return `${text(made.fed)}>${text(made.labels)}`;
};

describe("encodeRequest", () => {
  it("feeds BOS, context and all but the last token of the continuation", () => {
    expect(shown(encode("ab", "cd"))).toBe("^abc>cd");
    expect(shown(encode("ab", "cd", characters(null)))).toBe("abc>cd");
  });

  it("moves white space at the context's end into the continuation", () => {
    expect(shown(encode("ab \n", "c"))).toBe("^ab \n> \nc");
  });

  it("keeps the context as it is encoded alone where a token would straddle its end", () => {
    expect(shown(encode("at", "he", characters(null)))).toBe("at>e");
  });

  it("adds no second BOS to a text that begins with one", () => {
    expect(shown(encode("^a", "b"))).toBe("^a>b");
  });

  it("cuts a context that is too long on the left, BOS first, and says so", () => {
    const made = encode("abcdef", "xy", characters(BOS), 4);
    expect(shown(made)).toBe("defx>xy");
    expect(made).toMatchObject({ truncated: true });
    expect(encode("ab", "xy", characters(BOS), 4)).toMatchObject({ truncated: false });
  });

  it("begins an empty context with BOS, also one that the tokenizer never adds, else with EOS", () => {
    expect(shown(encode("", "ab"))).toBe("^a>ab");
    expect(shown(encode("", "ab", characters(null, BOS)))).toBe("^a>ab");
    expect(shown(encode("", "ab", characters(null)))).toBe("$a>ab");
    expect(shown(encode("", "^b"))).toBe("^>b");
    expect(encode("", "ab", characters(null, null))).toContain("neither BOS nor EOS");
  });

  it("scores the white space of a context that is nothing else", () => {
    expect(shown(encode(" ", "a"))).toBe("^ > a");
    expect(shown(encode(" ", "a", characters(null)))).toBe("$ > a");
  });

  it("gives the reason where nothing can be predicted", () => {
    expect(encode("ab", "")).toContain("adds no token");
    expect(encode("ab", "abcdefgh", characters(BOS), 4)).toContain("8 tokens; the model has 4 positions");
  });
});
