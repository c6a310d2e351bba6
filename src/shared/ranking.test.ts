import { describe, expect, it } from "vitest";
import type { Confidence } from "./evaluation.ts";
import { intervalSentence, rankVariants, tieClause } from "./ranking.ts";

const BLOCKS = 20;

/** Of 20 blocks of 50 tokens with the given KL per token in each. */
function confidence(kl: (block: number) => number): Confidence {
  const tokens = Array.from({ length: BLOCKS }, () => 50);
  return {
    level: 0.95,
    resamples: 2000,
    unit: "tokens",
    intervals: { nll: [1, 2], perplexity: [3, 7] },
    tokens,
    nll: tokens.map((count) => count * 2),
    kl: tokens.map((count, block) => count * kl(block)),
  };
}

function variant(id: string, mean: number, sure?: Confidence) {
  const kl = { mean };
  return { id, status: "done" as const, bitsPerWeight: 4, kl, ...(sure ? { confidence: sure } : {}) };
}

/** The text is harder in some blocks than in others, by far more than the variants differ. */
const hard = (block: number): number => 0.25 + 0.2 * Math.sin(block);
const results = [
  variant(
    "far",
    0.4,
    confidence((block) => hard(block) + 0.15),
  ),
  variant(
    "near",
    0.2684,
    confidence((block) => hard(block) + 0.0004 + 0.02 * Math.cos(3 * block)),
  ),
  variant("best", 0.268, confidence(hard)),
  variant(
    "little",
    0.27,
    confidence((block) => hard(block) + 0.002 + 0.0001 * Math.cos(5 * block)),
  ),
];

describe("ranking by KL", () => {
  it("calls variants tied whose paired difference may be 0, and no others", () => {
    expect(rankVariants(results)).toEqual({ by: "kl", best: "best", tied: ["near"], untested: 0 });
  });
  it("tells a small difference that every block shows, though the intervals of both overlap", () => {
    expect(rankVariants(results).tied).not.toContain("little");
  });
  it("tells nothing of what has no blocks, or others", () => {
    const other = { ...confidence(hard), tokens: Array.from({ length: BLOCKS }, () => 40) };
    const untested = rankVariants([...results, variant("old", 0.3), variant("other text", 0.3, other)]);
    expect(untested.tied).toEqual(["near"]);
    expect(untested.untested).toBe(2);
  });
  it("calls two names of the same weights tied", () => {
    const sure = confidence(hard);
    expect(rankVariants([variant("a", 0.268, sure), variant("b", 0.268, { ...sure })]).tied).toEqual(["b"]);
  });
});

describe("what the ranking is worth, in words", () => {
  const of = (tied: string[], untested = 0) => ({ by: "kl" as const, best: "A", tied, untested });
  const name = (id: string): string => id;
  it("names two, counts more", () => {
    expect(tieClause(of(["B"]), 3, name)).toBe("no significant difference from B");
    expect(tieClause(of(["B", "C"]), 3, name)).toBe("no significant difference from B and C");
    expect(tieClause(of(["B", "C", "D"]), 3, name)).toBe("no significant difference from 3 others");
  });
  it("says what is certain, what was not tested, and nothing of one alone", () => {
    expect(tieClause(of([]), 3, name)).toBe("significantly lower than all others");
    expect(tieClause(of([]), 1, name)).toBe("significantly lower than the other");
    expect(tieClause(of([], 2), 3, name)).toBe("not tested for significance");
    expect(tieClause(of([]), 0, name)).toBeNull();
  });
  it("says how intervals were made", () => {
    expect(intervalSentence(confidence(hard))).toBe(
      "95% intervals: BCa bootstrap over 20 blocks of consecutive tokens, 2,000 resamples; differences are paired by block.",
    );
  });
});
