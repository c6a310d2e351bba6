import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { expectWithin } from "../golden-model/bounds.ts";
import { demoVariant, openDemo, type Demo } from "../golden-model/demoModel.ts";
import { expectSum, float32Bound } from "../support/rounding.ts";
import { CALIBRATION, runLab, TEXT, writeText } from "./labRun.ts";

const LOSS_BOUND = 1e-4;
const NAME = "model.layers.0.self_attn.q_proj.weight";
const DOCUMENTS = ["Pip was a quiet deer. Pip lived by the bakery.", "Vera gave Tam two jars of honey."];

let demo: Demo;
let windows: number[][];
let embedded: HiddenBatch;
let weights: LayerWeights;
beforeAll(async () => {
  demo = await openDemo();
  windows = DOCUMENTS.map((text) => [demo.tokenizer.bos ?? 0, ...demo.tokenizer.encode(text)].slice(0, -1));
  embedded = await demo.forward.embed(demo.checkpoint, windows);
  weights = await createLayerReader(demo).read(0);
});
afterAll(() => demo.close());

/** Real rows of a (batch, sequence, width) tensor. */
function realRows(all: Float32Array, width: number): Float32Array[] {
  return embedded.lengths.flatMap((length, w) =>
    Array.from({ length }, (_, t) => {
      const begin = (w * embedded.sequence + t) * width;
      return all.subarray(begin, begin + width);
    }),
  );
}

/** Σ (x·Wᵀ)² in f64. */
function squaresOf(rows: readonly Float32Array[], matrix: Float32Array): number {
  let total = 0;
  for (const x of rows) {
    for (let begin = 0; begin < matrix.length; begin += x.length) {
      let product = 0;
      for (let i = 0; i < x.length; i++) product += x[i] * matrix[begin + i];
      total += product ** 2;
    }
  }
  return total;
}

it("captures what goes into q_proj: the normed residual", async () => {
  const { inputs } = await demo.forward.layerWithLinearInputs(0, embedded, weights);
  const width = demo.architecture.facts.hiddenSize;
  const captured = realRows(inputs.q_proj, width);
  realRows(embedded.data, width).forEach((h, row) => {
    const root = Math.sqrt(
      h.reduce((sum, value) => sum + value ** 2, 0) / width + demo.architecture.description.norm.epsilon,
    );
    h.forEach((value, i) => {
      const expected = (value / root) * weights.input_layernorm[i];
      const within = float32Bound({ magnitude: expected, terms: width });
      expectSum(captured[row]?.[i], expected, within, `row ${row}, channel ${i}`);
    });
  });
});

it("captures the same input of down_proj as the tap, and the same hidden states", async () => {
  const { inputs, hidden } = await demo.forward.layerWithLinearInputs(0, embedded, weights);
  const tapped = await demo.forward.layerWithTaps(0, embedded, weights);
  expect(inputs.down_proj).toEqual(tapped.taps.input);
  expect(hidden.data).toEqual(tapped.hidden.data);
  expect(Object.keys(inputs)).toEqual([
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
  ]);
});

describe("a search by the output's error", () => {
  it("reports ‖XWᵀ − XŴᵀ‖ / ‖XWᵀ‖ over the calibration text's tokens", async () => {
    const calibration = await writeText(DOCUMENTS);
    const { report } = await runLab(demo, "threshold-search", {
      text: TEXT,
      calibration,
      judge: { tokens: 60 },
      bits: 3,
      scope: "tensor",
      by: "output-error",
      methods: ["zscore"],
      thresholds: [3],
      maxTrials: 2,
    });
    const { inputs } = await demo.forward.layerWithLinearInputs(0, embedded, weights);
    const x = realRows(inputs.q_proj, demo.architecture.facts.hiddenSize);
    const original = weights.q_proj;
    for (const [i, range] of [null, { method: "zscore", threshold: 3 }].entries()) {
      const recipe = parseRecipe({ scheme: "affine", bits: 3, granularity: "tensor", range });
      const plan = demoVariant(demo, "one", recipe).plans.get(NAME);
      if (!plan) throw new Error(`${NAME} has no plan`);
      const changed = new Float32Array(original.length);
      quantizeDequantize(original, plan, changed);
      const difference = original.map((value, j) => value - changed[j]);
      const expected = Math.sqrt(squaresOf(x, difference) / squaresOf(x, original));
      expect(report.trials[i]).toMatchObject({ tensor: NAME, range });
      expectWithin(report.trials[i]?.loss, expected, LOSS_BOUND, `loss of ${JSON.stringify(range)}`);
    }
  });

  it("judges what it chose on both texts", async () => {
    const { report, progress } = await runLab(demo, "threshold-search", {
      text: TEXT,
      calibration: CALIBRATION,
      judge: { tokens: 150 },
      bits: 3,
      scope: "tensor",
      by: "output-error",
      methods: ["zscore"],
      thresholds: [4, 9],
    });
    expect(report.by).toBe("output-error");
    expect(new Set(report.trials.map(({ tensor }) => tensor)).size).toBe(42);
    const { test, plain, calibration } = report.result ?? {};
    expect((test?.kl?.mean ?? NaN) < (plain?.kl?.mean ?? NaN)).toBe(true);
    expect((calibration?.kl?.mean ?? NaN) > 0).toBe(true);
    expect(progress.at(-1)?.secondsLeft).toBe(0);
  });

  it("asks for a calibration text", async () => {
    const request = { text: TEXT, scope: "tensor" as const, by: "output-error" as const };
    await expect(runLab(demo, "threshold-search", request)).rejects.toMatchObject({
      code: "usage/no-calibration",
    });
  });
});
