import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Scores } from "#shared/evaluation.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { OriginalReference, VariantScore } from "#engine/evaluate/stream/scoring.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { expectNear, expectWithin } from "./bounds.ts";
import {
  demoVariant,
  demoWindows,
  figures,
  FIGURES_JUDGE,
  openDemo,
  type Demo,
  type GoldenEvaluation,
} from "./demoModel.ts";

const PERPLEXITY_BOUND = 1e-3;
const KL_BOUND = { relative: 2e-3, absolute: 1e-5 };
/** Above this perplexity a recipe has destroyed the model, and only its NLL means something. */
const DESTROYED = 100;
const DESTROYED_NLL_BOUND = 1e-2;
const VARIANTS_PER_WAVE = 10;
const WAVE_TIMEOUT = 900_000;

const recipes = figures.evaluations.filter((evaluation) => evaluation.recipe !== undefined);
const waves = Array.from({ length: Math.ceil(recipes.length / VARIANTS_PER_WAVE) }, (_, i) =>
  recipes.slice(i * VARIANTS_PER_WAVE, (i + 1) * VARIANTS_PER_WAVE),
);

let demo: Demo;
let windows: WindowSet;
let reference: OriginalReference;

beforeAll(async () => {
  demo = await openDemo();
  windows = await demoWindows(demo, FIGURES_JUDGE);
  reference = await scoreOriginal({ ...demo, windows });
}, WAVE_TIMEOUT);

afterAll(() => demo.close());

it("gives the unquantized model's perplexity", () => {
  const [unquantized] = figures.evaluations;
  expect(unquantized.name).toBe("unquantized");
  expect(reference.scores.tokens).toBe(unquantized.tokens);
  expectWithin(reference.scores.perplexity, unquantized.perplexity, PERPLEXITY_BOUND, "perplexity");
});

describe.each(waves.map((wave, i) => ({ wave, name: `wave ${i + 1}` })))("$name", ({ wave }) => {
  let results: VariantScore[];
  beforeAll(async () => {
    const variants = wave.map(({ name, recipe }) => demoVariant(demo, name, recipe));
    results = await scoreWave({ ...demo, windows, reference, variants });
  }, WAVE_TIMEOUT);

  it.each(wave)("gives the reference's perplexity and KL for $name", (expected) => {
    const scores = results.find(({ id }) => id === expected.name)?.scores;
    if (!scores) throw new Error(`no scores for ${expected.name}`);
    compare(scores, expected);
  });
});

function compare(scores: Scores, expected: GoldenEvaluation): void {
  expect(scores.tokens).toBe(expected.tokens);
  if (expected.perplexity > DESTROYED) {
    expectWithin(scores.nll, expected.nll, DESTROYED_NLL_BOUND, "NLL");
    return;
  }
  const kl = expected.kl ?? NaN;
  expectWithin(scores.perplexity, expected.perplexity, PERPLEXITY_BOUND, "perplexity");
  expectNear(scores.kl?.mean, kl, KL_BOUND.relative * kl + KL_BOUND.absolute, "KL");
}
