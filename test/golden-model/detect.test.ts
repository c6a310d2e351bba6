import { afterAll, beforeAll, expect, it } from "vitest";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { detect } from "#engine/superweight/detect.ts";
import { measureEffect } from "#engine/superweight/effect.ts";
import { expectWithin } from "./bounds.ts";
import { demoWindows, golden, openDemo, type Demo } from "./demoModel.ts";

const ACTIVATION_BOUND = 1e-3;

let demo: Demo;
let report: DetectReport;

beforeAll(async () => {
  demo = await openDemo();
  report = await detect({ ...demo, options: detectOptions.parse({ prompt: golden.prompt }) });
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
      verdict: "super-weight",
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

it("runs again only from the zeroed weight's layer on, and finds nothing more", () => {
  const [{ layer, row, column }] = report.superWeights;
  expect(report.passes.map(({ fromLayer, zeroed }) => ({ fromLayer, zeroed }))).toEqual([
    { fromLayer: 0, zeroed: [layer, row, column] },
    { fromLayer: layer, zeroed: null },
  ]);
});

it("gives a reason for every layer that holds no super weight", () => {
  const refused = new Set(report.candidates.filter(({ pass }) => pass === 1).map(({ layer }) => layer));
  expect([...refused].sort()).toEqual([0, 2, 3, 4, 5]);
});

it("measures what the super weight is worth", async () => {
  const windows = await demoWindows(demo, { tokens: 1000 });
  const [effect] = await measureEffect({
    ...demo,
    windows,
    coordinates: report.superWeights.map(({ layer, row, column }) => [layer, row, column]),
  });
  expect(effect.tokens).toBe(windows.scored);
  expect((effect.perplexity ?? NaN) > 1e6 * (effect.baseline ?? NaN)).toBe(true);
  expect((effect.kl ?? NaN) > 10).toBe(true);
});
