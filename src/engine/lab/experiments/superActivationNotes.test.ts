import { textsOf } from "#shared/notes.ts";
import { describe, expect, it } from "vitest";
import type { Coordinate } from "#shared/recipe.ts";
import { persistenceOf } from "./persistence.ts";
import type { ResidualPeaks } from "./residualPeaks.ts";
import { severalRows, wildness } from "./superActivationNotes.ts";

/** What the watched channel 7 holds at a token, and whether it is the largest of all. */
function peak(value: number, token = 0, channel = 7): ResidualPeaks {
  return { value, token, channel, watched: [{ value, token }], elsewhere: 1 };
}

/** Peaks of two prompts behind each layer. */
const original = [
  [peak(0.5), peak(0.5)],
  [peak(100, 0), peak(90, 0)],
  [peak(100, 0), peak(90, 3)],
  [peak(2, 0), peak(3, 0)],
];

describe("a super weight's channel over layers and prompts", () => {
  const SUPER_WEIGHT: Coordinate = [1, 7, 4];
  const left = original.map((prompts) => prompts.map(() => [0]));

  it("has the token that holds it in every prompt", () => {
    const alike = original.map((prompts) => prompts.map(({ value }) => peak(value, 0)));
    expect(persistenceOf(SUPER_WEIGHT, [7], alike, left)).toMatchObject({ from: 1, to: 3, token: 0 });
  });

  it("has none where one prompt holds it at another token in one layer", () => {
    const found = persistenceOf(SUPER_WEIGHT, [7], original, left);
    expect(found).toMatchObject({ from: 1, to: 3, token: null });
    expect(found.layers.map(({ sameToken }) => sameToken)).toEqual([0, 1, 0.5, 1]);
  });
});

describe("a layer that holds more without the super weights", () => {
  const pruned = (value: number, channel: number) => [
    ...original.slice(0, 3).map((prompts) => prompts.map(() => peak(0.1))),
    [peak(value, 2, channel), peak(0.1)],
  ];

  it("takes back the super activation where it writes to its channel with the other sign", () => {
    expect(textsOf(wildness([original, pruned(-80, 7)], [7]))).toEqual([
      "Layer 3 holds more without the super weights than with them: −80 in channel 7 at token 2, before 3 in channel 7. A layer writes there what takes back the super activation, and finds none.",
    ]);
  });

  it.each([
    [80, 7],
    [-80, 5],
  ])("goes wild where it holds %i in channel %i", (value, channel) => {
    expect(wildness([original, pruned(value, channel)], [7])[0]?.text).toMatch(
      /The model goes wild there\.$/,
    );
  });

  it("is none where little more is there", () => {
    expect(wildness([original, pruned(-4, 7)], [7])).toEqual([]);
  });
});

describe("several super weights", () => {
  const left = original.map((prompts) => prompts.map(() => [0]));
  const of = (...superWeights: Coordinate[]) =>
    textsOf(severalRows(superWeights.map((one) => persistenceOf(one, [7], original, left))));

  it("are told of together where they write to one channel", () => {
    expect(of([1, 7, 4], [2, 7, 9])).toEqual([
      "Layer 1 [7, 4] and layer 2 [7, 9] write to one channel, 7: what is found there is of them together.",
    ]);
  });

  it("are told apart where they do not", () => {
    const rows = persistenceOf([1, 7, 4], [7], original, left);
    expect(textsOf(severalRows([rows, { ...rows, superWeight: [2, 5, 1] }]))).toEqual([
      expect.stringContaining("the others' rows are left out"),
    ]);
  });

  it("need no word where there is one", () => {
    expect(of([1, 7, 4])).toEqual([]);
  });
});
