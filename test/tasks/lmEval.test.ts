import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { TaskReport } from "#shared/evaluation.ts";
import { readTaskFile } from "#engine/tasks/read/readTaskFile.ts";
import { ORIGINAL, runTasks } from "#engine/tasks/score/runTasks.ts";
import type { TaskFile } from "#engine/tasks/types.ts";
import { expectNear } from "../golden-model/bounds.ts";
import { openModelAt, type OpenModel } from "../support/openModelAt.ts";

/** Nats, of a continuation's summed log-likelihood; measured below 1e-4, which is f32 sums in another order. */
const LOG_LIKELIHOOD_BOUND = 1e-3;
const FIGURE_BOUND = 1e-9;
/** Of a perplexity's logarithm. */
const LOG_PERPLEXITY_BOUND = 1e-3;

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
          expectNear(found[c] ?? NaN, value, LOG_LIKELIHOOD_BOUND, `item ${k + 1}, continuation ${c + 1}`),
        );
      });
    });

    it("is right where lm-eval finds it right", () => {
      const items = reports[i].items ?? [];
      expect(items.map(({ right }) => Number(right))).toEqual(task.items.map(({ acc }) => acc));
      const normed = items.map(({ rightNorm }) => (rightNorm === null ? undefined : Number(rightNorm)));
      if (task.accNorm !== undefined) expect(normed).toEqual(task.items.map(({ accNorm }) => accNorm));
      else if (!task.file.startsWith("own")) expect(reports[i].accuracyNorm).toBeNull();
    });

    it("has lm-eval's accuracies, standard errors and perplexity", () => {
      const report = reports[i];
      expectNear(report.accuracy, task.acc, FIGURE_BOUND, "acc");
      expectNear(report.stderr ?? NaN, task.accStderr, FIGURE_BOUND, "acc_stderr");
      if (task.accNorm !== undefined) {
        expectNear(report.accuracyNorm ?? NaN, task.accNorm, FIGURE_BOUND, "acc_norm");
        expectNear(report.stderrNorm ?? NaN, task.accNormStderr ?? NaN, FIGURE_BOUND, "acc_norm_stderr");
      }
      if (task.perplexity === undefined) expect(report.perplexity).toBeNull();
      else
        expectNear(
          Math.log(report.perplexity ?? NaN),
          Math.log(task.perplexity),
          LOG_PERPLEXITY_BOUND,
          "log perplexity",
        );
    });
  });

  it("is asked something too long for it, which is cut on the left", () => {
    expect(reports.filter(({ truncated }) => truncated > 0).length).toBeGreaterThan(1);
  });
});

function digest(pairs: readonly (readonly string[])[]): string {
  return createHash("sha256").update(JSON.stringify(pairs)).digest("hex").slice(0, 16);
}
