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

it("a pipe gets nothing while the command prints JSON", () => {
  const { stream, text } = terminal(false);
  const progress = createProgress(stream, { json: true });
  progress.update(HALF);
  progress.line("a note");
  progress.stop();
  expect(text()).toBe("");
});
