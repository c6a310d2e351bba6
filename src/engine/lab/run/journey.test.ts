import { expect, it } from "vitest";
import type { Progress } from "#shared/contract/job.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import { Journey } from "./journey.ts";

function journey(): {
  journey: Journey;
  seen: Progress[];
  told: (watch: Watch, done: number, total: number) => void;
} {
  const seen: Progress[] = [];
  return {
    journey: new Journey({ onProgress: (progress) => seen.push(progress) }),
    seen,
    told: (watch, done, total) =>
      watch.onProgress?.({
        done,
        total,
        unit: "tokens·layers",
        phase: "layer",
        rate: null,
        secondsLeft: null,
      }),
  };
}

it("tells one progress over all announced passes and never goes back", () => {
  const { journey: whole, seen, told } = journey();
  whole.announce("text", 100, 3);
  for (let pass = 0; pass < 3; pass++) {
    const watch = whole.pass("text", `pass ${pass}`);
    for (const done of [50, 100]) told(watch, done, 100);
  }
  expect(seen.map(({ done, total }) => done / total)).toEqual([1, 2, 3, 4, 5, 6].map((n) => n / 6));
  expect(seen[3].phase).toBe("pass 1: layer");
  expect(seen[5].secondsLeft).toBe(0);
});

it("expects the others of a kind to be as long as the one at hand", () => {
  const { journey: whole, seen, told } = journey();
  whole.announce("tasks", 10, 4);
  told(whole.pass("tasks", "first"), 25, 50);
  expect(seen[0]).toMatchObject({ done: 25, total: 200 });
});

it("tells the whole from the first report on where passes of one kind were announced with what each takes", () => {
  const { journey: whole, seen, told } = journey();
  const sizes = [80, 150, 300, 120];
  for (const size of sizes) whole.announce("text", size);
  for (const size of sizes) told(whole.pass("text", "pass"), size, size);
  expect(seen.map(({ done }) => done)).toEqual([80, 230, 530, 650]);
  expect(new Set(seen.map(({ total }) => total))).toEqual(new Set([650]));
});

it("expects others of other sizes to be off by the share by which the one at hand was", () => {
  const { journey: whole, seen, told } = journey();
  for (const size of [10, 20]) whole.announce("tasks", size);
  told(whole.pass("tasks", "first"), 30, 30);
  expect(seen[0]).toMatchObject({ done: 30, total: 90 });
});

it("does not count passes that are taken back", () => {
  const { journey: whole, seen, told } = journey();
  whole.announce("text", 100, 3);
  whole.skip("text", 2);
  told(whole.pass("text", "only"), 100, 100);
  expect(seen[0]).toMatchObject({ done: 100, total: 100 });
});
