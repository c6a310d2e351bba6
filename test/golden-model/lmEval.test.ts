import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { judge } from "#shared/plan.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { summarize } from "#engine/evaluate/metrics.ts";
import { countBytes, countWords } from "#engine/evaluate/windows/textSize.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { encodeRequest } from "#engine/tasks/score/encodeRequest.ts";
import { expectWithin } from "./bounds.ts";
import { openDemo, type Demo } from "./demoModel.ts";

const ids = z.array(z.number());
const goldenFile = z.object({
  rolling: z.array(
    z.object({
      tokens: z.number(),
      context: z.number(),
      contextLength: z.number(),
      windows: z.array(z.object({ fed: ids, predicted: ids })),
    }),
  ),
  perplexity: z.object({
    texts: z.array(z.string()),
    negativeLogLikelihoods: ids,
    words: ids,
    bytes: ids,
    wordPerplexity: z.number(),
    bytePerplexity: z.number(),
    bitsPerByte: z.number(),
  }),
  pairs: z.array(
    z.object({ context: z.string(), continuation: z.string(), contextIds: ids, continuationIds: ids }),
  ),
});
const golden = goldenFile.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "../golden/evaluate/lm-eval.json"), "utf8")),
);

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

describe.each(golden.rolling)(
  "rolling windows of $tokens tokens, context $context, context_len $contextLength",
  ({ tokens, context, contextLength, windows }) => {
    it("are those of get_rolling_token_windows", () => {
      const numbered: Tokenizer = {
        encode: () => Array.from({ length: tokens }, (_, i) => 100 + i),
        decode: String,
        tokenText: String,
        bos: 1,
        eos: null,
        prefix: 1,
      };
      const set = cutWindows(
        ["text"],
        numbered,
        judge.parse({ windows: "rolling", context, stride: context - contextLength + 1 }),
        context,
      );
      const predicted = set.windows.map(({ labels }) => [...labels].filter((label) => label >= 0));
      expect(predicted).toEqual(windows.map((window) => window.predicted));
      expect(set.windows.map((window) => [...window.ids])).toEqual(windows.map((window) => window.fed));
    });
  },
);

describe("word and byte perplexity", () => {
  const { texts, negativeLogLikelihoods, words, bytes, ...expected } = golden.perplexity;

  it("count words and bytes as lm-eval does, odd white space included", () => {
    expect(texts.map(countWords)).toEqual(words);
    expect(texts.map(countBytes)).toEqual(bytes);
  });

  it("are lm-eval's weighted perplexities", () => {
    const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);
    const scores = summarize(Float32Array.of(total(negativeLogLikelihoods)), {
      words: total(words),
      bytes: total(bytes),
      textTokens: 1,
    });
    for (const name of ["wordPerplexity", "bytePerplexity", "bitsPerByte"] as const)
      expectWithin(scores[name], expected[name], 1e-12, name);
  });
});

describe.each(golden.pairs)(
  "the context '$context' and '$continuation'",
  ({ context, continuation, contextIds, continuationIds }) => {
    it("split into the tokens that lm-eval's _encode_pair gives", () => {
      const made = encodeRequest(
        { context, continuation },
        { ...demo.tokenizer, encode: (text) => demo.tokenizer.encode(text), bos: null },
        192,
      );
      if (typeof made === "string") throw new Error(made);
      expect(made.labels).toEqual(continuationIds);
      expect(made.fed).toEqual([...contextIds, ...continuationIds].slice(0, -1));
    });
  },
);
