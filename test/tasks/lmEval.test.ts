import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { TaskReport } from "#shared/evaluation.ts";
import { readTaskFile } from "#engine/tasks/read/readTaskFile.ts";
import { ORIGINAL, runTasks } from "#engine/tasks/score/runTasks.ts";
import type { TaskFile } from "#engine/tasks/datasets/taskItem.ts";
import { openModelAt, type OpenModel } from "../support/openModelAt.ts";
import { expectSum, float64Bound, logLikelihoodBound, sumsOf } from "../support/rounding.ts";

/** Of each of the three models. */
const LARGEST_LOGIT = 20;

const GOLDEN = join(import.meta.dirname, "../golden/tasks");
const MODELS = {
  bos: join(GOLDEN, "bos"),
  "no-bos": join(GOLDEN, "no-bos"),
  demo: join(import.meta.dirname, "../../resources/demo-model/model"),
};

const goldenTask = z.object({
  file: z.string(),
  task: z.string(),
  acc: z.number(),
  accStderr: z.number(),
  accNorm: z.number().optional(),
  accNormStderr: z.number().optional(),
  perplexity: z.number().optional(),
  items: z.array(
    z.object({
      /** SHA-256 of the item's contexts and continuations as JSON, the first 16 digits. */
      prompts: z.string(),
      logLikelihoods: z.array(z.number()),
      greedy: z.array(z.boolean()),
      acc: z.number(),
      accNorm: z.number().optional(),
    }),
  ),
});
const golden = z
  .object({ models: z.record(z.enum(["bos", "no-bos", "demo"]), z.array(goldenTask)) })
  .parse(JSON.parse(readFileSync(join(GOLDEN, "lm-eval.json"), "utf8")));

describe.each(Object.keys(MODELS) as (keyof typeof MODELS)[])("the model %s", (name) => {
  const tasks = golden.models[name];
  let model: OpenModel;
  let files: TaskFile[];
  let reports: readonly TaskReport[];

  beforeAll(async () => {
    model = await openModelAt(MODELS[name]);
    files = await Promise.all(tasks.map(({ file }) => readTaskFile(join(GOLDEN, "samples", file))));
    const [result] = await runTasks({ ...model, files, variants: [ORIGINAL], items: true });
    reports = result.tasks;
  }, 120_000);
  afterAll(() => model.close());

  /** What rounding may do to a log-likelihood. */
  const nats = (value: number): number =>
    logLikelihoodBound(value, { magnitude: LARGEST_LOGIT, ...sumsOf(model.architecture.facts) });

  describe.each(tasks.map((task, i) => ({ ...task, i })))("on $file", ({ i, ...task }) => {
    it("is asked with lm-eval's prompts, none left out", () => {
      expect(reports[i].skipped).toEqual([]);
      const prompts = files[i].items.map(({ requests }) =>
        requests.map(({ context, continuation }) => [context, continuation]),
      );
      expect(prompts.map(digest)).toEqual(task.items.map((item) => item.prompts));
    });

    it("gives every continuation lm-eval's log-likelihood", () => {
      const items = reports[i].items ?? [];
      expect(items).toHaveLength(task.items.length);
      task.items.forEach((item, k) => {
        const found = items[k].logLikelihoods;
        expect(found).toHaveLength(item.logLikelihoods.length);
        item.logLikelihoods.forEach((value, c) =>
          expectSum(found[c], value, nats(value), `item ${k + 1}, continuation ${c + 1}`),
        );
      });
    });

    /** Items whose two likeliest answers lie closer than rounding: one processor prefers the first, another the second. */
    const ties = (): boolean[] =>
      task.items.map(({ logLikelihoods }) => {
        const [best = 0, next = -Infinity] = logLikelihoods.toSorted((a, b) => b - a);
        return best - next <= nats(best);
      });
    /** Of each item: lm-eval's answer, and in a tie the one that was found. */
    const expectedOf = (theirs: readonly number[], found: readonly boolean[]): number[] =>
      ties().map((tie, k) => (tie ? Number(found[k]) : theirs[k]));
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;

    it("is right where lm-eval finds it right", () => {
      const items = reports[i].items ?? [];
      const right = items.map((item) => item.right);
      const acc = task.items.map((item) => item.acc);
      expect(right.map(Number)).toEqual(expectedOf(acc, right));
      expect(ties().filter(Boolean).length).toBeLessThanOrEqual(1);
      if (task.accNorm !== undefined) {
        const normed = items.map(({ rightNorm }) => rightNorm ?? false);
        const accNorm = task.items.map((item) => item.accNorm ?? NaN);
        expect(normed.map(Number)).toEqual(expectedOf(accNorm, normed));
      } else if (!task.file.startsWith("own")) expect(reports[i].accuracyNorm).toBeNull();
    });

    it("has lm-eval's accuracies, standard errors and perplexity", () => {
      const report = reports[i];
      const share = float64Bound({ magnitude: 1, terms: report.n });
      const same = (found: number | null, stderr: number | null, acc: number, theirs: number): void => {
        const off = Math.abs((found ?? NaN) - acc);
        const tie = mean(ties().map(Number));
        expect(off <= share || Math.abs(off - tie) <= share, `accuracy ${found} instead of ${acc}`).toBe(
          true,
        );
        if (off <= share) expectSum(stderr, theirs, share, "its standard error");
      };
      same(report.accuracy, report.stderr, task.acc, task.accStderr);
      if (task.accNorm !== undefined)
        same(report.accuracyNorm, report.stderrNorm, task.accNorm, task.accNormStderr ?? NaN);
      if (task.perplexity === undefined) expect(report.perplexity).toBeNull();
      else {
        const expected = Math.log(task.perplexity);
        expectSum(Math.log(report.perplexity ?? NaN), expected, nats(expected), "log perplexity");
      }
    });
  });

  it("is asked something too long for it, which is cut on the left", () => {
    expect(reports.filter(({ truncated }) => truncated > 0).length).toBeGreaterThan(1);
  });
});

function digest(pairs: readonly (readonly string[])[]): string {
  return createHash("sha256").update(JSON.stringify(pairs)).digest("hex").slice(0, 16);
}
