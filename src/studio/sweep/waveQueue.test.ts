import { expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import type { VariantResult } from "#shared/run.ts";
import { newVariant } from "../store/variantRows.ts";
import { WaveQueue } from "./waveQueue.ts";

const recipe = parseRecipe({ scheme: "affine", bits: 4, granularity: "tensor" });
const variants = (count: number, attempts = 0): VariantResult[] =>
  Array.from({ length: count }, (_, index) =>
    newVariant({ id: `${attempts}-${index}`, index, recipe, label: "", attempts }),
  );
const ids = (wave: readonly VariantResult[]): string[] => wave.map(({ id }) => id);

it("deals every variant once, in order, with one attempt more", () => {
  const queue = new WaveQueue(variants(7), 1, 3);
  const waves = [queue.next(), queue.next(), queue.next(), queue.next()];
  expect(waves.map(ids)).toEqual([["0-0", "0-1"], ["0-2", "0-3", "0-4"], ["0-5", "0-6"], []]);
  expect(waves.flat().every(({ attempts }) => attempts === 1)).toBe(true);
});

it("deals those that a worker died with one by one, after the others", () => {
  const queue = new WaveQueue(variants(4), 1, 2);
  const first = queue.next();
  expect(queue.died(first, false)).toEqual([]);
  expect([queue.next(), queue.next(), queue.next()].map(ids)).toEqual([["0-2", "0-3"], ["0-0"], ["0-1"]]);
});

it("gives up a variant that a worker died with alone the second time, not one that was alone only once", () => {
  const queue = new WaveQueue(variants(2), 1, 2);
  queue.died(queue.next(), false);
  const alone = queue.next();
  expect(ids(queue.died(alone, true))).toEqual(["0-0"]);
  const single = new WaveQueue(variants(1), 1, 2);
  expect(single.died(single.next(), true)).toEqual([]);
  expect(ids(single.died(single.next(), true))).toEqual(["0-0"]);
});

it("deals a resumed run's variants that were in hand when its process died one by one", () => {
  const queue = new WaveQueue([...variants(2, 1), ...variants(2)], 1, 4);
  expect([queue.next(), queue.next(), queue.next()].map(ids)).toEqual([["0-0", "0-1"], ["1-0"], ["1-1"]]);
});

it("begins small, goes on large and shares the rest out evenly", () => {
  const queue = new WaveQueue(variants(48), 2, 8);
  const sizes: number[] = [];
  for (let wave = queue.next(); wave.length > 0; wave = queue.next()) sizes.push(wave.length);
  expect(sizes).toEqual([2, 2, 8, 8, 8, 8, 6, 6]);
});
