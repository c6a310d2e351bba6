import { expect, it } from "vitest";
import { experimentName, grainWords } from "./index.ts";

it("every experiment says whether several super weights are changed together or one by one", () => {
  for (const experiment of experimentName.options)
    expect(grainWords(experiment, 2)).toMatch(/all found weights/);
  expect(grainWords("importance", 12)).toBe("all found weights together, then each weight alone");
});

it("one super weight needs no grain", () => {
  expect(grainWords("importance", 1)).toBe("the one found weight");
  expect(grainWords("importance", 0)).toBe("no super weight");
});
