import { describe, expect, it } from "vitest";
import { expectSum, float32Bound } from "../../../../test/support/rounding.ts";
import { rotaryFrequencies, rotaryTables, type RopeSettings } from "./rope.ts";

const SIZE = 16;
const plain: RopeSettings = { kind: "default", theta: 10_000 };
const dynamic: RopeSettings = { kind: "dynamic", theta: 10_000, factor: 4, contextLength: 32 };
const llama3: RopeSettings = {
  kind: "llama3",
  theta: 10_000,
  factor: 8,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalContext: 64,
};
const yarn: RopeSettings = {
  kind: "yarn",
  theta: 10_000,
  factor: 8,
  attentionFactor: 1.2,
  betaFast: 4,
  betaSlow: 1,
  truncate: true,
  originalContext: 64,
};

const frequencies = (rope: RopeSettings, length = 1): number[] => [...rotaryFrequencies(rope, SIZE, length)];
const ratios = (rope: RopeSettings, length = 1): number[] =>
  frequencies(rope, length).map((value, i) => frequencies(plain)[i] / value);

/** Frequencies and angles are kept in f32. */
function expectRounded(value: number, expected: number): void {
  expectSum(value, expected, float32Bound({ magnitude: expected, terms: 2 }));
}

describe("rotary frequencies", () => {
  it("fall geometrically from 1 to 1/θ of a full head", () => {
    frequencies(plain).forEach((value, i) => expectRounded(value, 10_000 ** ((-2 * i) / SIZE)));
  });

  it("linear divides every one by the factor", () => {
    for (const ratio of ratios({ kind: "linear", theta: 10_000, factor: 3 })) expectRounded(ratio, 3);
  });

  it("dynamic changes nothing up to the context length, and lengthens waves beyond it", () => {
    expect(frequencies(dynamic, 32)).toEqual(frequencies(plain));
    const beyond = ratios(dynamic, 64);
    expect(beyond[0]).toBe(1);
    expectRounded(beyond[SIZE / 2 - 1], 4 * 2 - 3);
  });

  it("llama3 keeps short waves, divides long ones by the factor, and goes monotonically between", () => {
    const stretched = ratios(llama3);
    expect(stretched[0]).toBe(1);
    expectRounded(stretched[SIZE / 2 - 1], 8);
    expect([...stretched].sort((a, b) => a - b)).toEqual(stretched);
    expect(stretched.some((ratio) => ratio > 1.01 && ratio < 7.99)).toBe(true);
  });

  it("yarn keeps the first pairs, divides the last by the factor, and scales cos and sin", () => {
    const stretched = ratios(yarn);
    expect(stretched[0]).toBe(1);
    expectRounded(stretched[SIZE / 2 - 1], 8);
    const { cos, sin } = rotaryTables(yarn, SIZE, 2);
    expectRounded(cos[0], 1.2);
    expectRounded(Math.hypot(cos[SIZE / 2], sin[SIZE / 2]), 1.2);
  });
});

it("tables hold one row a position, and position 0 is not turned", () => {
  const { cos, sin } = rotaryTables(plain, SIZE, 5);
  expect(cos).toHaveLength((5 * SIZE) / 2);
  expect([...cos.subarray(0, SIZE / 2)]).toEqual(new Array(SIZE / 2).fill(1));
  expect([...sin.subarray(0, SIZE / 2)]).toEqual(new Array(SIZE / 2).fill(0));
  expectRounded(cos[3 * (SIZE / 2)], Math.cos(3));
});
