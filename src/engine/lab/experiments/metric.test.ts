import { describe, expect, it } from "vitest";
import type { AblationRow, TaskReport } from "#shared/evaluation.ts";
import { recoveredShare, metricOf } from "./metric.ts";

function task(correct: number, n: number): TaskReport {
  return {
    ...{ name: "t", files: [], dataset: "own", kind: "choice", n, correct, accuracy: correct / n },
    ...{
      path: "",
      stderr: 0,
      accuracyNorm: null,
      stderrNorm: null,
      perplexity: null,
      truncated: 0,
      skipped: [],
    },
  };
}

function row(nll: number, ...tasks: TaskReport[]): AblationRow {
  return {
    ...{
      kind: "original" as const,
      name: "",
      change: "",
      weights: 1,
      tokens: 1,
      nll,
      perplexity: Math.exp(nll),
    },
    ...{ wordPerplexity: null, bytePerplexity: null, bitsPerByte: null, nllStandardError: null },
    tasks,
  };
}

describe("what pruning loses", () => {
  it("is accuracy where the items tell the models apart", () => {
    const rows = [row(1, task(90, 100)), row(9, task(40, 100)), row(1, task(65, 100))];
    expect(metricOf(rows[0], rows[1])).toEqual({ by: "accuracy", tooFew: null });
    expect(recoveredShare(rows)).toBe(0.5);
  });

  it.each([
    [1, 1, 0],
    [2, 2, 0],
    [10, 6, 5],
    [10, 5, 5],
    [100, 31, 28],
  ])("is log-likelihood where they cannot: of %s items %s right, then %s", (n, before, after) => {
    const rows = [row(1, task(before, n)), row(3, task(after, n)), row(2, task(before, n))];
    expect(metricOf(rows[0], rows[1])).toMatchObject({ by: "log-likelihood", tooFew: { items: n } });
    expect(recoveredShare(rows)).toBe(0.5);
  });

  it("is told by three items of which all are lost, and by many with a small loss", () => {
    expect(metricOf(row(1, task(3, 3)), row(1, task(0, 3))).by).toBe("accuracy");
    expect(metricOf(row(1, task(5100, 10_000)), row(1, task(4900, 10_000))).by).toBe("accuracy");
  });

  it("counts the items of all tasks", () => {
    const { tooFew } = metricOf(row(1, task(4, 8), task(1, 4)), row(1, task(3, 8), task(1, 4)));
    expect(tooFew).toMatchObject({ items: 12, change: -1 / 16 });
  });

  it("has no share where the text gets no worse", () => {
    expect(recoveredShare([row(1), row(1), row(1)])).toBeNull();
    expect(recoveredShare([row(1), row(2)])).toBeNull();
  });
});
