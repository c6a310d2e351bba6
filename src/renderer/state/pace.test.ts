import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Pace } from "./pace.ts";

const REST_MS = 400;
let shown: number[];
let pace: Pace<number>;

beforeEach(() => {
  vi.useFakeTimers();
  shown = [];
  pace = new Pace((value) => shown.push(value));
});
afterEach(() => void vi.useRealTimers());

it("shows the first change at once, and of many the latest when its time has come", () => {
  for (const value of [1, 2, 3, 4]) pace.follow(value, REST_MS);
  expect(shown).toEqual([1]);
  vi.advanceTimersByTime(REST_MS - 1);
  expect(shown).toEqual([1]);
  vi.advanceTimersByTime(1);
  expect(shown).toEqual([1, 4]);
});

it("shows a change at once after a rest, and loses none", () => {
  pace.follow(1, REST_MS);
  vi.advanceTimersByTime(REST_MS);
  pace.follow(2, REST_MS);
  expect(shown).toEqual([1, 2]);
  pace.follow(3, REST_MS);
  vi.advanceTimersByTime(REST_MS);
  expect(shown).toEqual([1, 2, 3]);
});

it("forgets what was to come when it is stopped, and goes on afterwards", () => {
  for (const value of [1, 2]) pace.follow(value, REST_MS);
  pace.stop();
  vi.advanceTimersByTime(1_000);
  expect(shown).toEqual([1]);
  pace.follow(3, REST_MS);
  expect(shown).toEqual([1, 3]);
});
