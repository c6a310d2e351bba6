import { expect, it } from "vitest";
import { tryVerdict } from "./tryVerdict.ts";

const verdict = (perplexity: number | null): string =>
  tryVerdict({ family: "llama", perplexity, chance: 40_000, tokens: 128 }).verdict;

it("a perplexity of half of chance's nats or less is plausible", () => {
  expect(verdict(12)).toBe("plausible");
  expect(verdict(200)).toBe("plausible");
  expect(verdict(201)).toBe("doubtful");
});

it("one near chance, beyond it or none at all is wrong", () => {
  for (const perplexity of [20_000, 40_000, 1e9, Infinity, NaN, null])
    expect(verdict(perplexity)).toBe("wrong");
});

it("says both figures, and how to go on where it is plausible", () => {
  const { text } = tryVerdict({ family: "llama", perplexity: 12.345, chance: 40_000, tokens: 128 });
  expect(text).toContain("the perplexity of 128 tokens is 12.35; chance is 40,000");
  expect(text).toContain('write "model_type": "llama" into the config.json of a copy of the folder');
});
