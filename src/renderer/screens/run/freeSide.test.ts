import { expect, it } from "vitest";
import { freeSide } from "./freeSide.ts";

it("a label stands on the right, and on the left where a ring lies under it there", () => {
  expect(freeSide([], 200, 400)).toBe("right");
  expect(freeSide([{ left: 350, top: 195 }], 200, 400)).toBe("left");
  expect(freeSide([{ left: 350, top: 90 }], 200, 400)).toBe("right");
  expect(freeSide([{ left: 60, top: 195 }], 200, 400)).toBe("right");
});

it("where both ends are taken it stays on the right", () => {
  const both = [
    { left: 60, top: 195 },
    { left: 350, top: 195 },
  ];
  expect(freeSide(both, 200, 400)).toBe("right");
});
