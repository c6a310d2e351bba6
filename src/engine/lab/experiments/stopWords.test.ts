import { expect, it } from "vitest";
import { stopWordTokens } from "./stopWords.ts";

const counted = (tokens: string[]): string[] => tokens.filter((_, i) => stopWordTokens(tokens)[i]);

it("counts the list's words in any case, punctuation and contractions", () => {
  expect(counted([" the", " The", ".", "—", "'s", "n’t", " cold", " winter"])).toEqual([
    " the",
    " The",
    ".",
    "—",
    "'s",
    "n’t",
  ]);
});

it("does not count a piece inside a word where the vocabulary marks the beginnings", () => {
  expect(counted([" all", "all", "is", " is"])).toEqual([" all", " is"]);
});

it("counts bare words where the vocabulary marks no beginnings", () => {
  expect(counted(["the", "of", "cold", "##the"])).toEqual(["the", "of"]);
});

it("counts neither numbers nor white space nor special tokens", () => {
  expect(counted([" the", "42", " ", "\\n", "</s>", "<1023>"])).toEqual([" the"]);
});
