import { describe, expect, it } from "vitest";
import { labelPlace } from "./labelPlace.ts";

const PLOT = { left: 50, right: 400, bottom: 300 };
const NEAR_RIGHT = { left: 350, top: 190 };
const NEAR_LEFT = { left: 90, top: 190 };

describe("the label of a horizontal line", () => {
  it("stands above its right end, and above the left one where a mark or a letter lies there", () => {
    expect(labelPlace(PLOT, 200, [], [])).toEqual({ end: "right", side: "above" });
    expect(labelPlace(PLOT, 200, [NEAR_RIGHT], [])).toEqual({ end: "left", side: "above" });
    expect(labelPlace(PLOT, 200, [NEAR_RIGHT], [NEAR_RIGHT])).toEqual({ end: "left", side: "above" });
    expect(labelPlace(PLOT, 200, [{ left: 350, top: 90 }, NEAR_LEFT], [])).toEqual({
      end: "right",
      side: "above",
    });
  });

  it("goes below the line where marks lie above both its ends", () => {
    expect(labelPlace(PLOT, 200, [NEAR_LEFT, NEAR_RIGHT], [])).toEqual({ end: "right", side: "below" });
    const below = { left: 380, top: 212 };
    expect(labelPlace(PLOT, 200, [NEAR_LEFT, NEAR_RIGHT, below], [])).toEqual({ end: "left", side: "below" });
  });

  it("stays inside the chart, over as few marks as there may be and over no letter", () => {
    const marks = [NEAR_LEFT, NEAR_RIGHT, { left: 360, top: 188 }];
    expect(labelPlace({ ...PLOT, bottom: 210 }, 200, marks, [])).toEqual({ end: "left", side: "above" });
    expect(labelPlace({ ...PLOT, bottom: 210 }, 200, marks, [NEAR_LEFT])).toEqual({
      end: "right",
      side: "above",
    });
  });
});
