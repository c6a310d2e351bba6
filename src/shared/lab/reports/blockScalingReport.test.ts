import { expect, it } from "vitest";
import { labReportOf } from "../../../../test/support/labReports.ts";
import { blockAxis, sortBlocks } from "../../figures/blockAxis.ts";
import { blockScalingFigures } from "./blockScalingReport.ts";
import { paletteOf } from "../../figures/palette.ts";

it("orders blocks by how many weights share a scale, as their bits tell", () => {
  const used = [
    { granularity: "flat:4096", bitsPerWeight: 4.008 },
    { granularity: "tensor", bitsPerWeight: 4.0001 },
    { granularity: "channel", bitsPerWeight: 4.106 },
    { granularity: "channel", bitsPerWeight: 4.107 },
    { granularity: "group:64", bitsPerWeight: 4.5 },
  ];
  expect(sortBlocks(used)).toEqual(["group:64", "channel", "flat:4096", "tensor"]);
});

it("orders them by name where the bits are not known", () => {
  const granularities = ["tensor", "flat:16384", "channel", "group:128", "tile:8x8"];
  expect(sortBlocks(granularities.map((granularity) => ({ granularity, bitsPerWeight: null })))).toEqual([
    "tile:8x8",
    "group:128",
    "channel",
    "flat:16384",
    "tensor",
  ]);
});

it("names a run of N² weights as the paper does, too", () => {
  expect(blockAxis(["channel", "flat:16384", "flat:5000"])["ticktext"]).toEqual([
    "channel",
    "128 × 128<br>flat 16,384",
    "flat 5,000",
  ]);
});

it("says of a model without super weights that its outliers are clipped, and nothing of restoring", () => {
  const wordsOf = (superWeights: [number, number, number][]): string => {
    const report = { ...labReportOf("block-scaling"), superWeights };
    const figures = blockScalingFigures(
      report,
      paletteOf((name) => name),
    );
    return JSON.stringify(figures.filter(({ id }) => /^block-scaling-int\d$/.test(id)));
  };
  expect(wordsOf([[1, 137, 401]])).toMatch(/"clip, restore".*/);
  const without = wordsOf([]);
  expect(without).toContain('"clip"');
  expect(without).not.toMatch(/clip, restore|restored/);
});
