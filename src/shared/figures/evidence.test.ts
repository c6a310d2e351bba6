import { describe, expect, it } from "vitest";
import { candidateOf, effectOf, madeUpDetection } from "../../../test/support/madeUp/detection.ts";
import { evidenceFigure, plottedCandidates } from "./evidence.ts";
import { paletteOf } from "./palette.ts";
import { placeLabels } from "./placeLabels.ts";

const palette = paletteOf((name) => name);
const report = madeUpDetection();
const all = [...report.superWeights, ...report.candidates];

function markersOf(figure: ReturnType<typeof evidenceFigure>): { x: number[]; y: number[]; color: string[] } {
  const [trace] = figure.traces;
  const { color } = trace?.["marker"] as { color: string[] };
  return { x: trace?.["x"] as number[], y: trace?.["y"] as number[], color };
}

describe("evidence against effect", () => {
  it("draws the multiple of the median across and the KL up, both logarithmic, with the null and the threshold as lines", () => {
    const figure = evidenceFigure({ candidates: all, judged: report.judged }, palette);
    const { x, y } = markersOf(figure);
    expect([x[0], y[0]]).toEqual([24_022 / 35, 3.26]);
    expect(figure.layout["xaxis"]).toMatchObject({ type: "log" });
    expect(figure.layout["yaxis"]).toMatchObject({ type: "log" });
    const shapes = figure.layout["shapes"] as { y0: number }[];
    expect(shapes.map(({ y0 }) => y0)).toEqual([0.186, 0.0004]);
  });
  it("is gold for super weights alone", () => {
    const { color } = markersOf(evidenceFigure({ candidates: all, judged: report.judged }, palette));
    expect(color.filter((one) => one === "sw").length).toBe(8);
    expect(color.slice(8).every((one) => one === "pane")).toBe(true);
  });
  it("keeps an effect of zero and one that is not finite inside the axis", () => {
    const candidates = [
      candidateOf(1, 1, 1, { effect: effectOf(0) }),
      candidateOf(2, 1, 1, { effect: effectOf(null) }),
      candidateOf(3, 1, 1, { effect: effectOf(0.1) }),
    ];
    const figure = evidenceFigure({ candidates, judged: null }, palette);
    const [low = 0, high = 0] = (figure.layout["yaxis"] as { range: number[] }).range;
    for (const value of markersOf(figure).y) {
      expect(Math.log10(value)).toBeGreaterThan(low);
      expect(Math.log10(value)).toBeLessThan(high);
    }
  });
  it("names the largest effect in its summary, in whatever order the candidates come", () => {
    const { summary } = evidenceFigure({ candidates: [...all].reverse(), judged: report.judged }, palette);
    expect(summary).toContain("The largest effect is KL 3.2600, of layer 11 [507, 1229]");
  });
  it("leaves out what was not measured", () => {
    expect(plottedCandidates([candidateOf(1, 1, 1), ...all]).length).toBe(all.length);
    expect(evidenceFigure({ candidates: [], judged: null }, palette).summary).toBe(
      "No effect has been measured yet.",
    );
  });
});

describe("labels of marks", () => {
  const text = "layer 4 [40, 300]";
  it("never overlap each other or leave the plot, however many marks there are", () => {
    const marks = Array.from({ length: 12 }, (_, i) => ({ x: 20 + i * 33, y: 100 + (i % 3), text }));
    const places = placeLabels(marks, marks, 400, 230);
    const boxes = places.flatMap((placed, i) => {
      const mark = marks[i];
      if (!placed || !mark) return [];
      const width = Math.ceil(text.length * 5.9);
      const left = placed.anchor === "left" ? mark.x + 11 : mark.x - 11 - width;
      return [{ left, right: left + width, middle: mark.y - placed.lift }];
    });
    expect(boxes.length).toBeGreaterThan(0);
    for (const box of boxes) {
      expect(box.left).toBeGreaterThanOrEqual(0);
      expect(box.right).toBeLessThanOrEqual(400);
      for (const other of boxes)
        if (other !== box)
          expect(
            box.right <= other.left || other.right <= box.left || Math.abs(box.middle - other.middle) >= 16,
          ).toBe(true);
    }
  });
  it("give way to one that has no room", () => {
    expect(placeLabels([{ x: 20, y: 20, text }], [], 60, 40)).toEqual([null]);
  });
});
