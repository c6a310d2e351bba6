import { afterAll, beforeAll, expect, it } from "vitest";
import type { AblationRow } from "#shared/evaluation.ts";
import { runLab, LAST_WORD, TEXT, type Conducted } from "../lab/labRun.ts";
import { float64Bound } from "../support/rounding.ts";
import { expectNear, expectWithin } from "./bounds.ts";
import {
  figures,
  FIGURES_ITEMS,
  FIGURES_JUDGE,
  openDemo,
  type Demo,
  type GoldenEvaluation,
} from "./demoModel.ts";

const DESTROYED_NLL_BOUND = 1e-2;
const PERPLEXITY_BOUND = 1e-3;
/** Two items: near-ties of a destroyed model may fall either way. */
const ACCURACY_BOUND = 2 / FIGURES_ITEMS + float64Bound({ magnitude: 1 });

let demo: Demo;
let found: Conducted<"importance">;

beforeAll(async () => {
  demo = await openDemo();
  found = await runLab(demo, "importance", {
    text: TEXT,
    judge: FIGURES_JUDGE,
    tasks: [LAST_WORD],
    taskLimit: FIGURES_ITEMS,
  });
}, 900_000);
afterAll(() => demo.close());

function row(name: string): AblationRow {
  const one = found.report.rows.find((it) => it.name === name);
  if (!one) throw new Error(`no row "${name}" among ${found.report.rows.map((it) => it.name).join(", ")}`);
  return one;
}

function reference(of: readonly GoldenEvaluation[], name: string): GoldenEvaluation {
  const one = of.find((it) => it.name === name);
  if (!one) throw new Error(`the reference has no ${name}`);
  return one;
}

it("importance gives the reference's figures for the original", () => {
  const expected = reference(figures.evaluations, "unquantized");
  expect(row("original").tokens).toBe(expected.tokens);
  expectWithin(row("original").perplexity, expected.perplexity, PERPLEXITY_BOUND, "perplexity");
});

it("importance gives the reference's figures without the super weight", () => {
  const expected = reference(figures.ablations, "super weights x0");
  const pruned = row("super weights pruned");
  expectWithin(pruned.nll, expected.nll, DESTROYED_NLL_BOUND, "NLL");
  expectNear(pruned.kl?.mean, expected.kl ?? NaN, 1e-2 * (expected.kl ?? NaN), "KL");
});

it("importance answers the tasks as the reference does, with the super weight and without", () => {
  const accuracy = (name: string): number => row(name).tasks?.[0]?.accuracy ?? NaN;
  expect(accuracy("original")).toBe(figures.tasks.lastWord.accuracy);
  const pruned = figures.ablations.find(({ tasks }) => tasks)?.tasks?.lastWord.accuracy ?? NaN;
  expectNear(accuracy("super weights pruned"), pruned, ACCURACY_BOUND, "last word, pruned");
});

it("importance gets the reference's original back by keeping the super activation", () => {
  const expected = reference(figures.evaluations, "unquantized");
  const kept = row("super weights pruned, super activation kept");
  expectWithin(kept.perplexity, expected.perplexity, PERPLEXITY_BOUND, "perplexity");
  expectNear(found.report.recovered, 1, float64Bound({ magnitude: 1 }), "recovered");
});
