import { expect, it } from "vitest";
import { dominantBits } from "./dominantBits.ts";

it("is the width of most weights, not of most tensors, and null of none", () => {
  const small = { bits: 8, rows: 2, columns: 2 };
  expect(dominantBits([small, small, { bits: 4, rows: 8, columns: 8 }])).toBe(4);
  expect(dominantBits([])).toBeNull();
});
