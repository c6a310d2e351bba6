import { expect, it } from "vitest";
import { ablationRow } from "./evaluation.ts";

const SCORES = {
  nll: 1,
  perplexity: 2,
  wordPerplexity: null,
  bytePerplexity: null,
  bitsPerByte: null,
  nllStandardError: null,
  tokens: 3,
};

it.each([
  ["original", "original"],
  ["super weights pruned", "super-weights"],
  ["super weights pruned, super activation kept", "super-activation-kept"],
  ["largest other weights pruned", "largest-others"],
  ["random other weights pruned", "random-others"],
  ["layer 1 [137, 401] alone pruned", "one-super-weight"],
  ["super weights × 0.5", "scaled"],
])("a row that an earlier version called %s is of the kind %s", (name, kind) => {
  const row = { name, change: "", weights: 1, ...SCORES };
  expect(ablationRow.parse(row).kind).toBe(kind);
});

it("a row that says its kind is of that kind, whatever it is called", () => {
  const row = { kind: "random-others", name: "original", change: "", weights: 1, ...SCORES };
  expect(ablationRow.parse(row).kind).toBe("random-others");
});
