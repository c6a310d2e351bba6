import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bootstrapInterval, pairedDifference } from "#shared/bootstrap.ts";
import { cutBlocks, type TextBlocks } from "./blocks.ts";
import { confidenceOf } from "./confidence.ts";
import type { TokenWindow } from "./windows/windowSet.ts";

/** From NumPy and SciPy; see scripts/golden/confidence.py. */
interface Case {
  tokens: number[];
  nll: number[];
  nllSums: number[];
  nllInterval: [number, number];
  nllScipy: [number, number];
  kl: Record<"a" | "b" | "c", number[]>;
  klSums: Record<"a" | "b" | "c", number[]>;
  klIntervals: Record<"a" | "b" | "c", [number, number]>;
  klScipy: Record<"a" | "b" | "c", [number, number]>;
  differences: Record<"a-b" | "c-a", [number, number]>;
}
const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/evaluate/confidence.json", import.meta.url), "utf8"),
) as { cases: Case[] };
const NAMES = ["a", "b", "c"] as const;

/** Of an interval's width: normal and Student quantiles are fits, right to four digits. */
const QUANTILE_BOUND = 2e-3;
/** SciPy draws other resamples: the ends of 2,000 of them wander by so much, measured 0.09. */
const SCIPY_BOUND = 0.12;

function expectInterval(
  actual: readonly number[] | undefined,
  expected: readonly number[],
  bound: number,
): void {
  const width = expected[1] - expected[0];
  for (const end of [0, 1])
    expect(Math.abs((actual?.[end] ?? NaN) - expected[end]) / width, `end ${end}`).toBeLessThan(bound);
}

function blocksOf({ tokens }: Case): TextBlocks {
  let begin = 0;
  const begins = tokens.map((count) => (begin += count) - count);
  return { unit: "tokens", begins, scored: begin };
}

describe("confidence, beside NumPy and SciPy", () => {
  for (const one of golden.cases)
    describe(`${one.tokens.length} blocks`, () => {
      const of = (name: (typeof NAMES)[number]) => {
        const figures = { nll: Float32Array.from(one.nll), kl: Float32Array.from(one.kl[name]) };
        const found = confidenceOf(blocksOf(one), figures);
        if (found === null) throw new Error("every figure is finite, and yet there is no interval");
        return found;
      };

      it("adds up blocks", () => {
        const { tokens, nll, kl } = of("a");
        expect(tokens).toEqual(one.tokens);
        nll.forEach((sum, i) => expect(sum / one.nllSums[i]).toBeCloseTo(1, 6));
        kl?.forEach((sum, i) => expect(sum / one.klSums.a[i]).toBeCloseTo(1, 6));
      });

      it("gives 95% intervals of NLL, perplexity and KL", () => {
        const { intervals } = of("a");
        expectInterval(intervals.nll, one.nllInterval, QUANTILE_BOUND);
        expectInterval(intervals.nll, one.nllScipy, SCIPY_BOUND);
        expect(intervals.perplexity).toEqual(intervals.nll.map(Math.exp));
        for (const name of NAMES) {
          expectInterval(of(name).intervals.kl, one.klIntervals[name], QUANTILE_BOUND);
          expectInterval(of(name).intervals.kl, one.klScipy[name], SCIPY_BOUND);
        }
      });

      it("compares variants block by block", () => {
        const near = pairedDifference(of("a"), of("b"), "kl");
        expectInterval(near?.interval, one.differences["a-b"], QUANTILE_BOUND);
        expect(near?.significant).toBe(false);
        const far = pairedDifference(of("c"), of("a"), "kl");
        expectInterval(far?.interval, one.differences["c-a"], QUANTILE_BOUND);
        expect(far?.significant).toBe(true);
      });
    });

  it("knows nothing of what is not finite", () => {
    const blocks = { unit: "tokens", begins: Array.from({ length: 10 }, (_, i) => i), scored: 10 } as const;
    expect(confidenceOf(blocks, { nll: new Float32Array(10).fill(NaN) })).toBeNull();
    expect(confidenceOf(blocks, { nll: new Float32Array(10).fill(900) })).toBeNull();
  });

  it("is sure of what is the same in every block", () => {
    expect(
      bootstrapInterval({ sums: Array(12).fill(3) as number[], tokens: Array(12).fill(2) as number[] }),
    ).toEqual([1.5, 1.5]);
  });
});

function windows(lengths: readonly number[]): { windows: TokenWindow[]; scored: number } {
  return {
    windows: lengths.map((length, document) => ({
      document,
      ids: new Int32Array(length + 1),
      labels: Int32Array.from({ length: length + 1 }, (_, i) => (i === 0 ? -1 : 1)),
      lead: 0,
    })),
    scored: lengths.reduce((sum, length) => sum + length, 0),
  };
}

describe("blocks of a text", () => {
  it("are whole documents where there are enough", () => {
    expect(cutBlocks(windows(Array(12).fill(30) as number[]))).toMatchObject({
      unit: "documents",
      begins: Array.from({ length: 12 }, (_, i) => 30 * i),
    });
  });
  it("are neighbouring documents of like size together where there are many", () => {
    const many = cutBlocks(windows(Array(400).fill(7) as number[]));
    expect(many?.unit).toBe("documents");
    expect(many?.begins).toEqual(Array.from({ length: 40 }, (_, i) => 70 * i));
  });
  it("are consecutive tokens of one document where there are few documents, or one that holds most", () => {
    expect(cutBlocks(windows([4000]))).toMatchObject({
      unit: "tokens",
      begins: expect.arrayContaining([0, 100, 3900]) as number[],
    });
    expect(cutBlocks(windows([8000, ...(Array(20).fill(2) as number[])]))?.unit).toBe("tokens");
    expect(cutBlocks(windows([412]))?.begins).toHaveLength(25);
  });
  it("do not exist in a text of a few sentences", () => {
    expect(cutBlocks(windows([100]))).toBeNull();
  });
});
