import { expect, it } from "vitest";
import { fileName } from "./download.ts";

it("names files with words that every system takes", () => {
  expect(fileName(["OLMo 1B/0724: é", "sensitivity-perplexity"], "csv")).toBe(
    "OLMo-1B-0724-e-sensitivity-perplexity.csv",
  );
  expect(fileName(["..", "∑"], "png")).toBe("keystone.png");
});
