import { describe, expect, it } from "vitest";
import { tokenDiff } from "./tokenDiff.ts";

describe("tokens beside the original's", () => {
  it("do not differ where the texts are the same", () => {
    expect(tokenDiff(["a", "b"], ["a", "b"])).toEqual({
      tokens: [
        { text: "a", differs: false },
        { text: "b", differs: false },
      ],
      differing: 0,
      first: -1,
    });
  });
  it("are aligned behind an inserted one", () => {
    const { tokens, differing, first } = tokenDiff(["the", "cat", "sat"], ["the", "old", "cat", "sat"]);
    expect(tokens.map(({ differs }) => differs)).toEqual([false, true, false, false]);
    expect([differing, first]).toEqual([1, 1]);
  });
  it("all differ where nothing is shared", () => expect(tokenDiff(["a"], ["x", "y"]).differing).toBe(2));
  it("may be none", () => expect(tokenDiff(["a"], [])).toEqual({ tokens: [], differing: 0, first: -1 }));
});
