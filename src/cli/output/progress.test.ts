import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { createProgress } from "./progress.ts";

const HALF = { done: 2_000, total: 4_000, unit: "tokens", phase: "Scoring", rate: 271.4, secondsLeft: 41 };

function terminal(isTTY: boolean): {
  stream: PassThrough & { isTTY: boolean; columns: number };
  text: () => string;
} {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  return { stream, text: () => String(stream.read() ?? "") };
}

it("a terminal gets a bar with rate and time left, and lines above it", () => {
  const { stream, text } = terminal(true);
  const progress = createProgress(stream, { json: true });
  expect(progress.live).toBe(true);
  progress.update(HALF);
  progress.line("a finished row");
  progress.stop();
  const shown = text();
  expect(shown).toContain("Scoring");
  expect(shown).toContain("█");
  expect(shown).toContain("2,000/4,000 tokens · 271 tokens/s · 41 s left");
  expect(shown).toContain("a finished row");
});

it("a pipe gets an occasional plain line", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { stream, text } = terminal(false);
  const progress = createProgress(stream, { json: false });
  progress.update(HALF);
  expect(text()).toBe("");
  vi.advanceTimersByTime(11_000);
  progress.update(HALF);
  progress.update(HALF);
  vi.useRealTimers();
  expect(text()).toBe("Scoring: 2,000/4,000 tokens · 271 tokens/s · 41 s left\n");
});

it("work that people do not count is told as a share, and variants by the phase alone", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { stream, text } = terminal(false);
  const progress = createProgress(stream, { json: false });
  vi.advanceTimersByTime(11_000);
  const pace = { rate: 0.03, secondsLeft: 290 };
  progress.update({ done: 3.2, total: 12.75, unit: "variants", phase: "2 of 12 variants scored", ...pace });
  vi.advanceTimersByTime(11_000);
  progress.update({ done: 2e6, total: 8e6, unit: "tokens·layers", phase: "layer 3 of 30", ...pace });
  vi.useRealTimers();
  expect(text()).toBe("2 of 12 variants scored: 25% · 4:50 left\nlayer 3 of 30: 25% · 4:50 left\n");
});

it("a pipe gets nothing while the command prints JSON", () => {
  const { stream, text } = terminal(false);
  const progress = createProgress(stream, { json: true });
  progress.update(HALF);
  progress.line("a note");
  progress.stop();
  expect(text()).toBe("");
});
