import { expect, it } from "vitest";
import { factList, textTable } from "./table.ts";

it("a table is plain text: head, one hairline, rows; numbers right-aligned", () => {
  const text = textTable(
    [{ title: "recipe" }, { title: "perplexity", align: "right" }],
    [
      ["original", "1.87"],
      ["int3", "12,345.68"],
    ],
  );
  expect(text.split("\n")).toEqual([
    "recipe    perplexity",
    "────────────────────",
    "original        1.87",
    "int3       12,345.68",
    "",
  ]);
});

it("facts line up", () => {
  expect(
    factList([
      ["NLL", "0.62"],
      ["Perplexity", "1.87"],
    ]),
  ).toBe("NLL         0.62\nPerplexity  1.87\n");
});
