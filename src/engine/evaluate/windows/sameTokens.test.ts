import { describe, expect, it } from "vitest";
import { judge } from "#shared/plan.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { firstOtherToken } from "./sameTokens.ts";
import type { WindowSet } from "./windowSet.ts";
import { cutWindows } from "./windows.ts";

/** One token a character; characters may be exchanged. */
function characters(exchange: Readonly<Record<string, string>> = {}, bos: number | null = 1): Tokenizer {
  return {
    encode: (text) => Array.from(text, (c) => (exchange[c] ?? c).charCodeAt(0)),
    decode: (ids) => String.fromCharCode(...ids),
    tokenText: String,
    ...{ bos, eos: 2, prefix: bos },
  };
}

const cut = (text: string, tokenizer: Tokenizer, options: object = {}, positions = 4): WindowSet =>
  cutWindows([text], tokenizer, judge.parse(options), positions);

describe("the first token that two tokenizers do not share", () => {
  it("is found where it is only ever predicted, at the end of a window", () => {
    const [one, other] = [characters(), characters({ c: "z", z: "c" })].map((it) => cut("abcab", it));
    expect(other.windows.flatMap(({ ids }) => [...ids])).toEqual(one.windows.flatMap(({ ids }) => [...ids]));
    expect(firstOtherToken(one, other)).toEqual({ place: 4, one: 99, other: 122 });
  });

  it("is found in what no window holds", () => {
    const [one, other] = [characters(), characters({ e: "z" })].map((it) =>
      cut("abcde", it, { windows: "gptq" }),
    );
    expect(firstOtherToken(one, other)).toMatchObject({ place: 7, one: 101, other: 122 });
  });

  it("is what leads a text, where that differs", () => {
    const [one, other] = [characters(), characters({}, 3)].map((it) => cut("ab", it));
    expect(firstOtherToken(one, other)).toEqual({ place: 1, one: 1, other: 3 });
  });

  it("is where windows part, where they are of other lengths", () => {
    const [one, other] = [4, 5].map((positions) => cut("abcdef", characters(), {}, positions));
    expect(firstOtherToken(one, other)).not.toBeNull();
  });

  it("is none where texts and windows are the same", () => {
    expect(firstOtherToken(cut("abc", characters()), cut("abc", characters()))).toBeNull();
  });
});
