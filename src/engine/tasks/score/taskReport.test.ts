import { describe, expect, it } from "vitest";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";
import type { TaskFile, TaskItem } from "../datasets/taskItem.ts";
import type { PreparedTask } from "./prepareTask.ts";
import { taskReport, type Answer } from "./taskReport.ts";

const item = (gold: number | null, lengths: number[], line = 1): TaskItem => ({
  file: "t.jsonl",
  line,
  requests: [],
  gold,
  lengths,
});
function task(items: readonly TaskItem[], file: Partial<TaskFile> = {}): PreparedTask {
  return {
    file: {
      ...{
        name: "t",
        path: "/t.jsonl",
        files: ["t.jsonl"],
        dataset: "own",
        kind: "choice",
        normalised: true,
      },
      ...{ items, skipped: [], ...file },
    },
    items: items.map((it, i) => ({
      item: it,
      requests: [{ fed: [1], labels: [2, 3], truncated: i === 1 }],
      windows: [],
      rows: [],
    })),
    skipped: [],
  };
}
const said = (...values: number[]): Answer[] =>
  values.map((logLikelihood) => ({ logLikelihood, greedy: logLikelihood > -1 }));

describe("taskReport", () => {
  it("takes the greatest sum for acc and the greatest per character for acc_norm", () => {
    const report = taskReport(
      task([item(0, [1, 10]), item(1, [1, 10]), item(1, [5, 5])]),
      [said(-2, -3), said(-2, -3), said(-4, -3)],
      false,
    );
    expect(report).toMatchObject({ n: 3, correct: 2, accuracy: 2 / 3, accuracyNorm: 2 / 3, truncated: 1 });
    const [p, n] = [2 / 3, 3];
    expectSum(report.stderr, Math.sqrt((p * (1 - p)) / (n - 1)), float64Bound({ magnitude: 1, terms: n }));
    expect(report.items).toBeUndefined();
  });

  it("takes the first of equals", () => {
    expect(taskReport(task([item(0, [1, 1])]), [said(-2, -2)], false).correct).toBe(1);
    expect(taskReport(task([item(1, [1, 1])]), [said(-2, -2)], false).correct).toBe(0);
  });

  it("gives one item no standard error, as lm-eval, and several equal ones none but 0", () => {
    const one = taskReport(task([item(0, [1, 1])]), [said(-1, -2)], false);
    expect(one).toMatchObject({ accuracy: 1, stderr: null, accuracyNorm: 1, stderrNorm: null });
    const two = taskReport(task([item(0, [1, 1]), item(0, [1, 1])]), [said(-1, -2), said(-1, -2)], false);
    expect(two).toMatchObject({ stderr: 0, stderrNorm: 0 });
  });

  it("finds nothing right where a log-likelihood is not a number, and says so", () => {
    const report = taskReport(task([item(0, [1, 1])]), [said(NaN, -2)], true);
    expect(report.correct).toBe(0);
    expect(report.items?.[0].logLikelihoods).toEqual([null, -2]);
  });

  it("reports no acc_norm where lm-eval has none", () => {
    const report = taskReport(task([item(0, [1, 1])], { normalised: false }), [said(-1, -2)], true);
    expect(report).toMatchObject({ accuracyNorm: null, stderrNorm: null, perplexity: null });
    expect(report.items?.[0].rightNorm).toBeNull();
  });

  it("gives a last word's perplexity per word, and greedy words as right", () => {
    const words = task([item(null, [3]), item(null, [3])], { kind: "last-word", normalised: false });
    const report = taskReport(words, [said(-0.5), said(-2.5)], false);
    expect(report).toMatchObject({ correct: 1, perplexity: Math.exp(1.5) });
    expect(taskReport(words, [said(-Infinity), said(-1)], false)).toMatchObject({
      perplexity: null,
      notFinite: true,
    });
  });
});
