import { expect, it } from "vitest";
import { labReportOf } from "../../../../test/support/labReports.ts";
import { parseRecipe } from "../../plan.ts";
import { paletteOf } from "../../figures/palette.ts";
import { thresholdSearchFigures } from "./thresholdSearchReport.ts";

const PALETTE = paletteOf((name) => name);
const range = { method: "zscore", threshold: 9 };
const restore = [[1, 137, 401]];

it.each([
  ["clip found, super weights restored", { range, restore }],
  ["clip found, super weights restored", { restore, overrides: [{ match: "a", range }] }],
  ["clip found, nothing restored", { range, restore: [] }],
  ["no clipping, super weights restored", { restore }],
  ["no clipping found better", {}],
])("says what the recipe found does: %s", (words, fields) => {
  const recipe = parseRecipe({ scheme: "affine", bits: 4, granularity: "tensor", ...fields });
  const figures = thresholdSearchFigures({ ...labReportOf("threshold-search"), recipe }, PALETTE);
  const result = figures.find(({ id }) => id === "threshold-search-result");
  expect(result?.table.rows.map(([state]) => state)).toEqual(["original", "plain rounding", words]);
  expect(result?.summary).toContain(words);
});
