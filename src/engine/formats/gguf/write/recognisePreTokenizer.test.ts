import { describe, expect, it } from "vitest";
import { preTokenizer } from "../layout/preTokenizerRules.ts";
import { recognisePreTokenizer } from "./recognisePreTokenizer.ts";

/** Characters that stand for the 256 bytes in byte-level vocabularies. */
function byteAlphabet(): string[] {
  const shown = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(shown(byte) ? byte : next++));
}

describe("the rules that a tokenizer cuts words by", () => {
  it("are told apart by numbers that are no ASCII digits where the vocabulary holds no run of digits", () => {
    const rules = preTokenizer("smollm");
    const vocabulary = [...byteAlphabet(), "ĠÂ", "(a"];
    const definition = {
      added_tokens: [],
      pre_tokenizer: rules?.definition,
      decoder: { type: "ByteLevel" },
      model: {
        type: "BPE",
        vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
        merges: ["Ġ Â", "( a"],
      },
    };
    const found = recognisePreTokenizer(definition);
    expect([found.rules.name, found.differing]).toEqual(["smollm", []]);
  });
});
