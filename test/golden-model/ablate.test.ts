import { afterAll, beforeAll, expect, it } from "vitest";
import type { AblateReport, AblationRow, TaskReport } from "#shared/evaluation.ts";
import { ablate } from "#engine/superweight/ablate/ablate.ts";
import { readTaskFile } from "#engine/tasks/read/readTaskFile.ts";
import { float64Bound } from "../support/rounding.ts";
import { expectNear, expectWithin } from "./bounds.ts";
import {
  demoFile,
  demoWindows,
  figures,
  FIGURES_ITEMS,
  FIGURES_JUDGE,
  openDemo,
  type Demo,
} from "./demoModel.ts";

const DESTROYED_NLL_BOUND = 1e-2;
const PERPLEXITY_BOUND = 1e-3;
/** Two items: near-ties of a destroyed model may fall either way. */
const ACCURACY_BOUND = 2 / FIGURES_ITEMS + float64Bound({ magnitude: 1 });

let demo: Demo;
let report: AblateReport;

beforeAll(async () => {
  demo = await openDemo();
  const windows = await demoWindows(demo, FIGURES_JUDGE);
  const files = ["tasks-last-word.jsonl", "tasks-choice.jsonl"];
  const tasks = await Promise.all(
    files.map((file) => readTaskFile(demoFile(file), { limit: FIGURES_ITEMS })),
  );
  report = await ablate({
    ...demo,
    windows,
    superWeights: [[1, 137, 401]],
    scales: [0.5, 2],
    tasks,
    text: "eval.jsonl",
  });
}, 900_000);
afterAll(() => demo.close());

function row(name: string): AblationRow {
  const found = report.rows.find((it) => it.name === name);
  if (!found) throw new Error(`no row "${name}" among ${report.rows.map((it) => it.name).join(", ")}`);
  return found;
}

function task(of: AblationRow, kind: TaskReport["kind"]): number {
  return of.tasks?.find((it) => it.kind === kind)?.accuracy ?? NaN;
}

it.each([
  ["super weights pruned", "super weights x0"],
  ["super weights × 0.5", "super weights x0.5"],
  ["super weights × 2", "super weights x2"],
])("gives the reference's figures for %s", (name, reference) => {
  const expected = figures.ablations.find((it) => it.name === reference);
  const kl = expected?.kl ?? NaN;
  const found = row(name);
  if (!expected) throw new Error(`the reference has no ${reference}`);
  if (expected.perplexity > 100) expectWithin(found.nll, expected.nll, DESTROYED_NLL_BOUND, "NLL");
  else expectWithin(found.perplexity, expected.perplexity, PERPLEXITY_BOUND, "perplexity");
  expectNear(found.kl?.mean, kl, 1e-2 * kl, "KL");
});

it("answers the tasks as the reference does", () => {
  expect(task(row("original"), "last-word")).toBe(figures.tasks.lastWord.accuracy);
  expectNear(
    task(row("original"), "choice"),
    figures.tasks.choice.accuracy,
    float64Bound({ magnitude: 1 }),
    "choice",
  );
});

it("answers the tasks of the ablated model as the reference does, but for near-ties", () => {
  const expected = figures.ablations[0].tasks;
  expectNear(
    task(row("super weights pruned"), "last-word"),
    expected?.lastWord.accuracy ?? NaN,
    ACCURACY_BOUND,
    "last word",
  );
  expectNear(
    task(row("super weights pruned"), "choice"),
    expected?.choice.accuracy ?? NaN,
    ACCURACY_BOUND,
    "choice",
  );
});

it("shows next to no loss when far more ordinary outliers go", () => {
  const outliers = row("largest other weights pruned");
  expect(outliers.weights).toBe(50);
  expectWithin(outliers.perplexity, row("original").perplexity ?? NaN, 0.02, "perplexity");
});

it("gets the model back when the super activation is kept", () => {
  expectWithin(
    row("super weights pruned, super activation kept").perplexity,
    row("original").perplexity ?? NaN,
    1e-3,
    "perplexity",
  );
});
