import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sumOfSlices, type Slice } from "../../scripts/peers/wikitext/slices.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keystone-slices-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const SLICES = { key: "llama-512", count: 10, size: 4 };

function sliceOf(begin: number, end: number): Promise<Slice> {
  const nll = end ** 2 - begin ** 2;
  return Promise.resolve({
    ours: { nll, scored: end - begin },
    theirs: nll + 1,
    units: end - begin,
    failures: ["other windows"],
  });
}

test("the slices of a text sum to the whole, and a failure of several is named once", async () => {
  const { sum, pieces } = await sumOfSlices(SLICES, { folder: null, until: Infinity }, sliceOf);
  expect(pieces).toBe(10);
  expect(sum).toEqual({
    ours: { nll: 100, scored: 10 },
    theirs: 103,
    units: 10,
    failures: ["other windows"],
  });
});

test("a stopped comparison goes on behind the slices that it kept", async () => {
  const stopped = sumOfSlices(SLICES, { folder, until: Infinity }, (begin, end) =>
    begin === 4 ? Promise.reject(new Error("stopped")) : sliceOf(begin, end),
  );
  await expect(stopped).rejects.toThrow("stopped");
  expect(readdirSync(folder)).toEqual(["llama-512-0-4.json"]);
  const made: number[] = [];
  const { sum } = await sumOfSlices(SLICES, { folder, until: Infinity }, (begin, end) => {
    made.push(begin);
    return sliceOf(begin, end);
  });
  expect(made).toEqual([4, 8]);
  expect(sum.ours).toEqual({ nll: 100, scored: 10 });
});

test("behind its time a comparison makes its first slice alone, takes kept ones, and says how far it came", async () => {
  expect(await sumOfSlices(SLICES, { folder, until: 0 }, sliceOf)).toMatchObject({ pieces: 4 });
  await sumOfSlices({ ...SLICES, count: 8 }, { folder, until: Infinity }, sliceOf);
  expect(await sumOfSlices(SLICES, { folder, until: 0 }, sliceOf)).toMatchObject({
    pieces: 8,
    sum: { ours: { nll: 64 } },
  });
});
