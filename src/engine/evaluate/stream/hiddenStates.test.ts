import { describe, expect, it } from "vitest";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";
import {
  batchTokens,
  gatherScored,
  keepStates,
  keptBatches,
  planBatches,
  relativeError,
  scoredLabels,
} from "./hiddenStates.ts";
import type { TokenWindow } from "../windows/windowSet.ts";

const window = (labels: number[], lead = 0): TokenWindow => ({
  document: 0,
  ids: Int32Array.from(labels),
  labels: Int32Array.from(labels),
  lead,
});
const windows = [window([5, -1]), window([6, 7, -1, 8]), window([-1, 9, 10])];
const set = { windows, scored: 6 };

describe("planBatches", () => {
  it("puts windows of like length together, within the padded size", () => {
    expect(planBatches(set, 8).batches).toEqual([[1, 2], [0]]);
    expect(planBatches(set, 1).batches).toEqual([[1], [2], [0]]);
  });

  it("counts real tokens, not padding", () => {
    const plan = planBatches(set, 8);
    expect(plan.tokens).toBe(9);
    expect([0, 1].map((batch) => batchTokens(plan, batch))).toEqual([7, 2]);
  });

  it("keeps the scored positions in the order of the text, whatever the batches", () => {
    const plan = planBatches(set, 8);
    const hidden = plan.batches.map((members) => {
      const sequence = windows[members[0]].ids.length;
      const data = new Float32Array(members.length * sequence);
      members.forEach((index, w) => data.set(windows[index].labels, w * sequence));
      return {
        data,
        batch: members.length,
        sequence,
        lengths: members.map((index) => windows[index].ids.length),
      };
    });
    expect([...gatherScored(plan, hidden, 1)]).toEqual([5, 6, 7, 8, 9, 10]);
    expect([...scoredLabels(plan)]).toEqual([5, 6, 7, 8, 9, 10]);
  });
});

describe("relativeError", () => {
  it("leaves out leading BOS and padding", () => {
    const plan = planBatches({ windows: [window([1, 2, 3], 1), window([1, 2], 1)], scored: 5 }, 8);
    const batch = (data: number[]) => [
      { data: Float32Array.from(data), batch: 2, sequence: 3, lengths: [3, 2] },
    ];
    const original = keepStates(batch([100, 3, 0, 100, 4, 100]), 1);
    expectSum(
      relativeError(plan, original, batch([0, 3, 0, 0, 0, 0]), 1),
      4 / 5,
      float64Bound({ magnitude: 1, terms: 2 }),
    );
  });
});

describe("keptBatches", () => {
  it("keeps every batch of a short text and the longest windows of a long one, one batch at least", () => {
    const windows = Array.from({ length: 40 }, () =>
      window(
        Array.from({ length: 100 }, () => 1),
        0,
      ),
    );
    const plan = planBatches({ windows, scored: 4000 }, 1000);
    expect(keptBatches(plan, 2, 64)).toBe(4);
    // 1,000 tokens × 4,096 × 4 bytes × 10 layers = 164 MB a batch.
    expect(keptBatches(plan, 10, 4096)).toBe(1);
    expect(keptBatches(plan, 80, 8192)).toBe(1);
  });
});

describe("planBatches on windows of many lengths", () => {
  it("keeps padding below a tenth once a batch is large enough, and loses no window", () => {
    const lengths = Array.from({ length: 200 }, (_, i) => 60 + ((i * 37) % 130));
    const windows = lengths.map((length) =>
      window(
        Array.from({ length }, () => 1),
        0,
      ),
    );
    const plan = planBatches({ windows, scored: lengths.reduce((a, b) => a + b, 0) });
    const padded = plan.batches.reduce((n, batch) => n + batch.length * windows[batch[0]].ids.length, 0);
    expect(padded / plan.tokens).toBeLessThan(1.1);
    expect(plan.batches.flat().sort((a, b) => a - b)).toEqual(windows.map((_, i) => i));
  });
});
