import { expect, it } from "vitest";
import { batchesByMemory } from "./batchesByMemory.ts";
import type { PreparedItem } from "./prepareTask.ts";

const item = (tokens: number): PreparedItem =>
  ({ windows: [{ ids: new Int32Array(tokens) }] }) as unknown as PreparedItem;

it("cuts items where their hidden states would not fit, and takes one at least", () => {
  const sizes = (of: PreparedItem[][]): number[][] =>
    of.map((run) => run.map(({ windows }) => windows[0].ids.length));
  // 10 floats a token, 400 bytes: ten tokens a pass
  expect(sizes(batchesByMemory([4, 5, 2, 8, 1, 30, 1].map(item), 10, 400))).toEqual([
    [4, 5],
    [2, 8],
    [1],
    [30],
    [1],
  ]);
  expect(batchesByMemory([], 10, 400)).toEqual([]);
});
