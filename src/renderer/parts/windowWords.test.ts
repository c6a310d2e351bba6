import { expect, it } from "vitest";
import { joinOf, joinOptions, WINDOW_OPTIONS } from "./windowWords.ts";

it("every convention of the command line can be chosen in the window", () => {
  expect(WINDOW_OPTIONS.map(({ value }) => value)).toEqual([
    "bos",
    "gptq",
    "rolling",
    "lm-eval",
    "llama.cpp",
  ]);
});

it("rows can be joined in every way that the windows allow, at first in the usual one", () => {
  for (const { value: windows } of WINDOW_OPTIONS)
    expect(joinOptions(windows).map(({ value }) => value)).toContain(joinOf({ windows }));
  expect(joinOptions("gptq").map(({ value }) => value)).toEqual(["blank-line", "concat"]);
  expect(joinOf({ windows: "bos", join: "articles" })).toBe("articles");
});
