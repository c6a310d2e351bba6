import { expect, it } from "vitest";
import { madeUpRun } from "../../../../test/support/madeUp/run.ts";
import { sizesOf } from "./sizes.ts";

const tensor = { bytes: 500 } as Parameters<typeof sizesOf>[0]["tensors"][number];

it("sizes the original and every scored variant, the closest first, each once", () => {
  const { results } = madeUpRun();
  const sizes = sizesOf({ tensors: [tensor, tensor], parameters: 500 }, [...results, ...results]);
  expect(sizes[0]).toEqual({ name: "Original", weightBytes: 1000 });
  expect(sizes).toHaveLength(1 + results.filter(({ status }) => status === "done").length);
  const closest = results.reduce((a, b) => ((b.kl?.mean ?? Infinity) < (a.kl?.mean ?? Infinity) ? b : a));
  expect(sizes[1]?.weightBytes).toBe(Math.round(((closest.fileBitsPerWeight ?? NaN) * 500) / 8));
});
