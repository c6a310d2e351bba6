import { describe, expect, it } from "vitest";
import type { RangeRule } from "#shared/recipe.ts";
import { DEFAULT_THRESHOLDS } from "#shared/lab/asked.ts";
import { bestOf, coarse, finer, requireThresholds, type Tried } from "./rangesToTry.ts";
import { Budget } from "./budget.ts";
import { searchClips } from "./searchClips.ts";

const z = (threshold: number): RangeRule => ({ method: "zscore", threshold });
const tried = (losses: Record<string, number>): Tried[] =>
  Object.entries(losses).map(([threshold, loss]) => ({ range: z(Number(threshold)), loss }));
const thresholds = (ranges: readonly RangeRule[]): number[] =>
  ranges.map((range) => ("threshold" in range ? range.threshold : NaN));

/** Loss of a z with its least at 6. */
const bowl = async (range: RangeRule | null): Promise<number> =>
  range && "threshold" in range ? Math.log(range.threshold / 6) ** 2 : 10;

describe("the first candidates", () => {
  it("are no clipping, and every method with the thresholds of its kind", () => {
    expect(coarse(["zscore", "block-percentage", "mse"], [9, 3, 0.001])).toEqual([
      null,
      z(3),
      z(9),
      { method: "block-percentage", threshold: 0.001 },
      { method: "mse" },
    ]);
  });

  it("are the defaults of a method that no threshold suits", () => {
    const ranges = coarse(["tensor-percentage"], [3, 5]);
    expect(ranges).toHaveLength(5);
    expect(ranges[1]).toEqual({ method: "tensor-percentage", threshold: 1e-6 });
  });
});

describe("thresholds below 1", () => {
  it("are multiples where no percentage is searched, and fractions where one is", () => {
    expect(thresholds(coarse(["zscore"], [0.5]).slice(1) as RangeRule[])).toEqual([0.5]);
    const both = coarse(["iqr", "block-percentage"], [0.5]).slice(1) as RangeRule[];
    expect(both.filter(({ method }) => method === "block-percentage")).toEqual([
      { method: "block-percentage", threshold: 0.5 },
    ]);
    expect(thresholds(both.filter(({ method }) => method === "iqr"))).toEqual([...DEFAULT_THRESHOLDS]);
  });

  it("that are not, or any for mse alone, are refused where nothing else takes them", () => {
    const refused = expect.objectContaining({ code: "usage/thresholds-do-not-fit" }) as Error;
    expect(() => requireThresholds(["tensor-percentage"], [9])).toThrow(refused);
    expect(() => requireThresholds(["mse"], [9])).toThrow(refused);
    expect(() => requireThresholds(["mse", "zscore"], [0.5])).not.toThrow();
    expect(() => requireThresholds(["tensor-percentage"], DEFAULT_THRESHOLDS)).not.toThrow();
  });
});

describe("an even share of a budget", () => {
  it("is what is left among those who are left, at least a choice of two, and is spent from the whole", () => {
    const budget = new Budget(7, null);
    const spendAll = (share: Pick<Budget, "spend" | "spent">): number => {
      let tried = 0;
      for (; share.spent === null; tried++) share.spend();
      return tried;
    };
    expect(spendAll(budget.share(2))).toBe(4);
    expect(spendAll(budget.share(3))).toBe(2);
    expect(spendAll(budget.share(1))).toBe(1);
    expect(budget.spent).toBe("after 7 trials, the most that were asked for");
  });

  it("has no bound where the budget has none", () => {
    const share = new Budget(null, null).share(42);
    for (let i = 0; i < 1000; i++) share.spend();
    expect(share.spent).toBeNull();
  });
});

describe("the finer candidates", () => {
  it("lie halfway to the best one's neighbours on a log scale", () => {
    expect(thresholds(finer(tried({ 2: 3, 4: 1, 16: 2 })))).toEqual([2.83, 8]);
  });

  it("reach past the last one as far as to its one neighbour", () => {
    expect(thresholds(finer(tried({ 2: 3, 4: 1 })))).toEqual([2.83, 8]);
    expect(thresholds(finer(tried({ 2: 1, 4: 3 })))).toEqual([1, 2.83]);
    expect(thresholds(finer(tried({ 5: 1 })))).toEqual([2.5, 10]);
  });

  it("are none around no clipping, around mse, and past a fraction of 1", () => {
    expect(finer([{ range: null, loss: 1 }, ...tried({ 3: 2 })])).toEqual([]);
    expect(finer([{ range: { method: "mse" }, loss: 1 }])).toEqual([]);
    const fraction: RangeRule = { method: "block-percentage", threshold: 0.6 };
    expect(thresholds(finer([{ range: fraction, loss: 1 }]))).toEqual([0.3]);
  });
});

it("takes the least loss, the first of equals, and what is not finite last", () => {
  expect(bestOf(tried({ 3: 2, 5: 1, 9: 1 }))?.range).toEqual(z(5));
  expect(bestOf([{ range: null, loss: null }, ...tried({ 3: 2 })])?.range).toEqual(z(3));
  expect(bestOf([])).toBeNull();
});

describe("a search", () => {
  it("comes closer to the least round by round", async () => {
    const { tried: all, stopped } = await searchClips(
      [null, z(3), z(9), z(20)],
      new Budget(null, null),
      bowl,
    );
    const best = bestOf(all)?.range;
    expect(stopped).toBeNull();
    expect(best && "threshold" in best && Math.abs(Math.log(best.threshold / 6)) < 0.1).toBe(true);
    expect(all.length).toBeGreaterThan(4);
  });

  it("stops after as many trials as it may make, and says so", async () => {
    const { tried: all, stopped } = await searchClips([null, z(3), z(9)], new Budget(2, null), bowl);
    expect(all).toHaveLength(2);
    expect(stopped).toBe("after 2 trials, the most that were asked for");
    const one = await searchClips([null, z(3)], new Budget(1, null), bowl);
    expect(one.stopped).toBe("after 1 trial, the most that was asked for");
  });

  it("stops when its time is over", async () => {
    const { tried: all, stopped } = await searchClips(
      [null, z(3), z(9)],
      new Budget(null, 0.02),
      async () => {
        await new Promise((done) => setTimeout(done, 30));
        return 1;
      },
    );
    expect(all).toHaveLength(1);
    expect(stopped).toMatch(/^after 0\.02 s/);
  });
});
