import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "#shared/plan.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { WindowSet } from "./windowSet.ts";
import { cutWindows } from "./windows.ts";

const BOS = 1;
const EOS = 2;

/** One token a character, so that windows can be read. */
function characters(bos: number | null, eos: number | null = EOS): Tokenizer {
  return {
    encode: (text) => Array.from(text, (c) => c.charCodeAt(0)),
    decode: (ids) => String.fromCharCode(...ids),
    tokenText: (id) => String.fromCharCode(id),
    bos,
    eos,
    prefix: bos ?? eos,
  };
}

const cut = (documents: string[], options: object, bos: number | null = BOS, positions = 64): WindowSet =>
  cutWindows(documents, characters(bos), judge.parse(options), positions);
const text = (ids: Iterable<number>): string =>
  Array.from(ids, (id) =>
    id < 0 ? "." : id === BOS ? "^" : id === EOS ? "$" : String.fromCharCode(id),
  ).join("");
const shown = (set: WindowSet): string[] =>
  set.windows.map(({ ids, labels }) => `${text(ids)}>${text(labels)}`);

describe("bos windows", () => {
  it("hold context − 1 tokens led by BOS, and predict each once", () => {
    expect(shown(cut(["abcdefg", "xy"], { context: 4 }))).toEqual(["^ab>abc", "^de>def", "^>g", "^x>xy"]);
  });

  it("hold context tokens and leave the first unscored where the tokenizer adds no BOS", () => {
    expect(shown(cut(["abcdefg"], { context: 4 }, null))).toEqual(["abc>bcd", "ef>fg"]);
  });

  it("overlap with a stride, and score only what is new", () => {
    expect(shown(cut(["abcdefg"], { context: 5, stride: 2 }))).toEqual(["^abc>abcd", "^cde>..ef", "^ef>..g"]);
    expect(shown(cut(["abcdef"], { context: 4, stride: 2 }, null))).toEqual(["abc>bcd", "cde>.ef"]);
  });

  it("predict every token of every document exactly once, whatever the context and stride", () => {
    const sizes = fc.record({
      documents: fc.array(fc.string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" }), {
        minLength: 1,
        maxLength: 4,
      }),
      context: fc.integer({ min: 2, max: 20 }),
      stride: fc.integer({ min: 1, max: 19 }),
    });
    fc.assert(
      fc.property(sizes, ({ documents, context, stride }) => {
        fc.pre(documents.every((document) => document.trim() !== ""));
        const set = cut(documents, { context, stride: Math.min(stride, context - 1) });
        const predicted = set.windows.flatMap(({ labels }) => [...labels].filter((label) => label >= 0));
        expect(String.fromCharCode(...predicted)).toBe(documents.join(""));
        expect(set.scored).toBe(predicted.length);
        expect(set.windows.every(({ ids }) => ids.length < context)).toBe(true);
      }),
    );
  });

  it("stop after the first whole window that reaches the token limit", () => {
    const set = cut(["abcdefg", "xyz"], { context: 4, tokens: 4 });
    expect(set.scored).toBe(6);
    expect(set).toMatchObject({ textTokens: 7, words: 1, bytes: 7 });
    expect(set.convention.documents).toBe(1);
    expect(set.convention.text).toContain("stopped at the token limit, after 6 tokens");
  });

  it("leave out rows without text", () => {
    expect(shown(cut(["", "abc", " \n", "de"], { context: 8 }))).toEqual(["^ab>abc", "^d>de"]);
  });

  it("take min(2048, the model's positions) where no context is asked for", () => {
    expect(cut(["abc"], {}, BOS, 32).convention.context).toBe(32);
    expect(cut(["abc"], {}, BOS, 4096).convention.context).toBe(2048);
  });

  it("say in one sentence how the text was cut", () => {
    expect(cut(["abcdefg", "xy"], { context: 4 }).convention).toEqual({
      windows: "bos",
      context: 4,
      stride: 3,
      bos: true,
      documents: 2,
      windowCount: 4,
      join: "rows",
      ...{ textTokens: 9, words: 2, bytes: 9 },
      text: "2 documents cut into 4 windows of at most 3 tokens, each led by BOS, every text token predicted once.",
    });
  });
});

describe("a text that begins with the leading token itself", () => {
  const marked = (documents: string[]): string[] =>
    documents.map((document) => `${String.fromCharCode(BOS)}${document}`);
  const documents = ["abcdefg", "x yz"];

  it.each(["bos", "rolling"])("is scored as the same text without it, in %s windows", (windows) => {
    const [own, plain] = [marked(documents), documents].map((texts) => cut(texts, { context: 4, windows }));
    expect(shown(own)).toEqual(shown(plain));
    expect([own.scored, own.words, own.bytes]).toEqual([plain.scored, plain.words, plain.bytes]);
    expect(own.convention.text).toContain(
      "; 2 documents already begin with BOS: it is fed once and not scored.",
    );
  });

  it("is led once in gptq windows, and says so", () => {
    const set = cut(marked(["abcdefg"]), { context: 4, windows: "gptq" });
    expect(shown(set)).toEqual(["^ab>abc", "def>efg"]);
    expect(set.convention.text).toContain("; the text begins with BOS itself: none is added");
  });

  it("is led by the EOS that it begins with where rolling windows have no BOS", () => {
    const text = `${String.fromCharCode(EOS)}abc`;
    const set = cut([text], { context: 4, windows: "rolling" }, null);
    expect(shown(set)).toEqual(["$ab>abc"]);
    expect(set.convention.text).toContain(
      "; 1 document already begins with EOS: it is fed once and not scored.",
    );
  });

  it("counts only documents that were scored", () => {
    const set = cut(marked(["abc", "def"]), { context: 4, tokens: 2 });
    expect(set.convention.text).toContain("; 1 document already begins with BOS");
  });
});

describe("gptq windows", () => {
  it("join documents by a blank line, begin with one BOS, drop the remainder", () => {
    const set = cut(["abc", "def"], { context: 4, windows: "gptq" });
    expect(shown(set)).toEqual(["^ab>abc", "\n\nd>\nde"]);
    expect(set).toMatchObject({ textTokens: 8, scored: 6, words: 2, bytes: 8 });
    expect(set.convention.text).toBe(
      "GPTQ-style: 2 rows joined by blank lines into one document, tokenised once and cut into 2 windows of 4 tokens whose first is " +
        "not scored; the remainder is dropped; word and byte perplexity take the 2 tokens of the text that are not scored to cost as " +
        "much as the others.",
    );
  });

  it("join empty rows too, as the published code does", () => {
    const set = cut(["", "a", "", "b"], { context: 8, windows: "gptq" }, null);
    expect(text(set.windows[0].ids)).toBe("\n\na\n\n\n\n".slice(0, 7));
    expect(set.convention.documents).toBe(2);
  });

  it("are cut from one text alone", () => {
    for (const [windows, join] of [
      ["gptq", "rows"],
      ["llama.cpp", "articles"],
    ])
      expect(() => cut(["abcdefg"], { windows, join })).toThrow(/windows are cut from one text/);
    expect(shown(cut(["ab", "cd"], { context: 4, windows: "gptq", join: "concat" }, null))).toEqual([
      "abc>bcd",
    ]);
  });

  it("refuse a stride other than the context", () => {
    expect(() => cut(["abcdefg"], { context: 4, stride: 2, windows: "gptq" })).toThrow(/do not overlap/);
  });

  it("refuse a text shorter than one window, naming the length", () => {
    expect(() => cut(["ab"], { context: 8, windows: "gptq" })).toThrow(/at least 8 tokens/);
  });
});

describe("rolling windows", () => {
  it("are led by EOS where there is no BOS", () => {
    expect(shown(cut(["abc"], { context: 4, windows: "rolling" }, null))).toEqual(["$ab>abc"]);
  });

  it("give the last window its full context", () => {
    expect(shown(cut(["abcdef"], { context: 4, windows: "rolling" }))).toEqual(["^abc>abcd", "bcde>..ef"]);
  });

  it("need BOS or EOS", () => {
    expect(() => cutWindows(["abc"], characters(null, null), judge.parse({ windows: "rolling" }), 8)).toThrow(
      /neither/,
    );
  });
});

describe("lm-eval's own windows", () => {
  it("predict the tokenizer's BOS behind one more, as lm-eval 0.4.13 does", () => {
    const set = cut(["abc"], { context: 8, windows: "lm-eval" });
    expect(shown(set)).toEqual(["^^ab>^abc"]);
    expect(set).toMatchObject({ scored: 4, textTokens: 4 });
    expect(set.convention.text).toContain("each led by BOS twice");
  });

  it("are the rolling ones where the tokenizer adds no BOS", () => {
    const ids = (windows: string) => shown(cut(["abcdef", "g"], { context: 4, windows }, null));
    expect(ids("lm-eval")).toEqual(ids("rolling"));
  });

  it("add no BOS to a text that begins with its text, as lm-eval's tokenizer does not", () => {
    const set = cut([`${String.fromCharCode(BOS)}ab`], { context: 8, windows: "lm-eval" });
    expect(shown(set)).toEqual(["^^a>^ab"]);
  });
});

describe("llama.cpp's windows", () => {
  it("score what stands behind the middle, and replace each window's first token by BOS", () => {
    const set = cut(["abcdefghij"], { context: 5, windows: "llama.cpp" });
    // ^abcd and efghi, whose first becomes BOS; j is dropped
    expect(shown(set)).toEqual(["^abc>..cd", "^fgh>..hi"]);
    expect(set.windows.map(({ lead }) => lead)).toEqual([1, 1]);
  });

  it("are the text's own tokens where the tokenizer adds no BOS, rows joined by nothing between them", () => {
    expect(shown(cut(["ab\n", "c\n"], { context: 4, windows: "llama.cpp" }, null))).toEqual(["ab\n>..c"]);
  });

  it("leave out the text's last line break, as llama.cpp's tools do", () => {
    const set = cut(["abc\n"], { context: 3, windows: "llama.cpp" }, null);
    expect(set.texts).toEqual([[97, 98, 99]]);
  });

  it("have no stride, and at least three tokens", () => {
    expect(() => cut(["abcdefg"], { context: 4, stride: 2, windows: "llama.cpp" })).toThrow(/do not overlap/);
    expect(() => cut(["abcdefg"], { context: 2, windows: "llama.cpp" })).toThrow(/at least 3 tokens/);
  });
});

describe("what cannot be cut", () => {
  it("is refused with both numbers when the context exceeds the model's positions", () => {
    expect(() => cut(["abc"], { context: 65 })).toThrow(
      "The context is 65 tokens, but the model has 64 positions.",
    );
  });

  it("is refused when a stride would skip tokens", () => {
    expect(() => cut(["abc"], { context: 8, stride: 8 })).toThrow(
      /stride of 8 would skip tokens: a window holds 7/,
    );
    expect(cut(["abc"], { context: 8, stride: 7 }).scored).toBe(3);
  });

  it("is refused when nothing can be scored", () => {
    expect(() => cut([""], {})).toThrow(/no token that can be scored/);
    expect(() => cut(["a"], {}, null)).toThrow(/no token that can be scored/);
  });
});
