import { expect } from "vitest";

/** Asserts |actual / expected − 1| ≤ bound; fails on NaN and null. */
export function expectWithin(
  actual: number | null | undefined,
  expected: number,
  bound: number,
  what: string,
): void {
  const off = Math.abs((actual ?? NaN) / expected - 1);
  expect(
    off <= bound,
    `${what}: ${actual} instead of ${expected}, off by ${off.toExponential(2)} (bound ${bound})`,
  ).toBe(true);
}

/** Asserts |actual − expected| ≤ bound; fails on NaN and null. */
export function expectNear(
  actual: number | null | undefined,
  expected: number,
  bound: number,
  what: string,
): void {
  const off = Math.abs((actual ?? NaN) - expected);
  expect(
    off <= bound,
    `${what}: ${actual} instead of ${expected}, off by ${off.toExponential(2)} (bound ${bound.toExponential(2)})`,
  ).toBe(true);
}
