import { afterAll, beforeAll, expect, it } from "vitest";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { scaleWeights } from "#engine/superweight/ablate/edits.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { detect } from "#engine/superweight/detect.ts";
import { expectWithin } from "./bounds.ts";
import { demoWindows, golden, openDemo, type Demo } from "./demoModel.ts";

const ACTIVATION_BOUND = 1e-3;

let demo: Demo;
let report: DetectReport;

beforeAll(async () => {
  demo = await openDemo();
  const text = { name: "eval.jsonl", windows: await demoWindows(demo, { tokens: 512 }) };
  report = await detect({ ...demo, text, options: detectOptions.parse({ prompt: golden.prompt }) });
});
afterAll(() => demo.close());

it("finds exactly the reference's super weights, on its pass", () => {
  expect(report.superWeights).toHaveLength(golden.superWeights.length);
  golden.superWeights.forEach((expected, i) => {
    const { layer, row, column, token, pass, rank } = expected;
    const found = report.superWeights[i];
    expect(found).toMatchObject({
      layer,
      row,
      column,
      token,
      pass,
      rank,
      verdict: "super",
      published: null,
    });
    for (const field of ["value", "inputActivation", "outputActivation", "share"] as const)
      expectWithin(found[field], expected[field], ACTIVATION_BOUND, field);
  });
});

it("gives the reference's largest activations of every layer", () => {
  expect(report.layers).toHaveLength(golden.layers.length);
  golden.layers.forEach((expected, layer) => {
    for (const tap of ["input", "output", "residual"] as const)
      expectWithin(
        Math.abs(report.layers[layer][tap].value),
        expected[tap],
        ACTIVATION_BOUND,
        `${tap} of layer ${layer}`,
      );
  });
});

it("runs the prompt without it too, and finds nothing more that matters", () => {
  const [{ layer, row, column }] = report.superWeights;
  expect(report.passes.map(({ zeroed }) => zeroed)).toEqual([[], [[layer, row, column]]]);
  expect(report.open).toEqual([]);
});

it("gives what the super weight is worth as the scoring of variants does", async () => {
  const windows = await demoWindows(demo, { tokens: 512 });
  const reference = await scoreOriginal({ ...demo, windows });
  const [{ layer, row, column, effect }] = report.superWeights;
  const edits = scaleWeights(demo.architecture, [[layer, row, column]], 0);
  const [{ scores }] = await scoreWave({
    ...demo,
    windows,
    reference,
    variants: [{ id: "pruned", plans: new Map(), edits }],
  });
  expect(effect?.tokens).toBe(windows.scored);
  expectWithin(effect?.baseline ?? NaN, reference.scores.perplexity ?? NaN, 1e-4, "baseline");
  expectWithin(effect?.nll ?? NaN, scores?.nll ?? NaN, 1e-3, "NLL without it");
  expectWithin(effect?.kl ?? NaN, scores?.kl?.mean ?? NaN, 1e-3, "KL without it");
  expect((effect?.perplexity ?? NaN) > 1e6 * (effect?.baseline ?? NaN)).toBe(true);
});
