import { expect, it } from "vitest";
import { resultColumns } from "./resultColumns.ts";
import { toCsv, toMarkdown } from "./copy.ts";
import { testResult } from "./testResult.ts";

const columns = resultColumns({
  baseline: null,
  decimals: 2,
  parameters: null,
  letterOf: () => "A",
  note: () => "",
}).filter(({ header }) => header !== "");
const row = testResult({ granularity: "flat:16384" }, { perplexity: 1234.56789 });

it("copies numbers into CSV as they were measured, and leaves missing ones empty", () => {
  const [head = "", line = ""] = toCsv([row], columns).split("\r\n");
  expect(head).toMatch(/^Pick,Scheme,Granularity/);
  expect(line).toContain('"flat 16,384"');
  expect(line).toContain("1234.56789,,0.01");
});

it("writes Markdown as it is shown, numbers to the right", () => {
  const lines = toMarkdown([row], columns).split("\n");
  expect(lines[1]).toContain("---:");
  expect(lines[2]).toContain("| flat 16,384 |");
});
