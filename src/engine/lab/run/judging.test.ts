import { expect, it } from "vitest";
import { isCertainlyBetter, isCertainlyWorse } from "./judging.ts";

it("a difference is certain beyond two standard errors, and never of a single token", () => {
  expect([
    isCertainlyWorse({ mean: 0.3, standardError: 0.1 }),
    isCertainlyWorse({ mean: 0.1, standardError: 0.1 }),
  ]).toEqual([true, false]);
  expect([
    isCertainlyBetter({ mean: -0.3, standardError: 0.1 }),
    isCertainlyBetter({ mean: 0.3, standardError: 0.1 }),
  ]).toEqual([true, false]);
  expect([
    isCertainlyWorse({ mean: 9, standardError: null }),
    isCertainlyBetter({ mean: -9, standardError: null }),
  ]).toEqual([false, false]);
});
