import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { InputOptions } from "../inputs/quantizedInputs.ts";
import { expectSum, float32Bound, sumsOf } from "../../../../test/support/rounding.ts";
import { decoder } from "./decoder.ts";
import { mistral } from "../families/mistral.ts";

const BATCH = 2;
const SEQUENCE = 13;
const HIDDEN = 16;
const INTERMEDIATE = 24;
/** Of a whole. Measured: 5e-7 apart. */
const within = (whole: Float32Array): number =>
  float32Bound({
    magnitude: whole.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    ...sumsOf({ intermediateSize: INTERMEDIATE, layers: 1 }),
  });

const architecture = (window: number | null) =>
  decoder(
    mistral.read({
      hidden_size: HIDDEN,
      intermediate_size: INTERMEDIATE,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      num_hidden_layers: 1,
      vocab_size: 8,
      sliding_window: window,
    }),
  );

/** A layer over sines as weights and inputs, cut into `queryBlocks`. `poison` fills the last token of window 0 with it. */
async function runLayer(
  window: number | null,
  queryBlocks: number,
  { poison, activations }: { poison?: number; activations?: InputOptions } = {},
): Promise<Float32Array> {
  const it = architecture(window);
  const wave = (count: number, step: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * step));
  const { cos = wave(0, 0), sin = wave(0, 0) } = it.positionTables(0, SEQUENCE);
  const hidden = wave(BATCH * SEQUENCE * HIDDEN, 0.7);
  if (poison !== undefined) hidden.fill(poison, (SEQUENCE - 1) * HIDDEN, SEQUENCE * HIDDEN);
  const feeds: Record<string, Tensor> = {
    hidden: new Tensor("float32", hidden, [BATCH, SEQUENCE, HIDDEN]),
    cos: new Tensor("float32", cos, [SEQUENCE, cos.length / SEQUENCE]),
    sin: new Tensor("float32", sin, [SEQUENCE, sin.length / SEQUENCE]),
    mask: new Tensor("float32", it.mask(0, SEQUENCE), [SEQUENCE, SEQUENCE]),
  };
  it.layerTensors(0).forEach(({ slot, shape }, i) => {
    feeds[slot] = new Tensor(
      "float32",
      wave(
        shape.reduce((a, b) => a * b),
        0.31 + i,
      ),
      shape,
    );
  });
  const session = await InferenceSession.create(it.layerGraph(0, { taps: false, queryBlocks, activations }), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const out = new Float32Array(hidden.length);
  await session.run(feeds, { hidden_out: new Tensor("float32", out, [BATCH, SEQUENCE, HIDDEN]) });
  await session.release();
  return out;
}

describe("a layer's graph", () => {
  for (const window of [null, 4, 1]) {
    for (const queryBlocks of [2, 4, 8]) {
      it(`gives the same in ${queryBlocks} blocks of queries, window ${window ?? "none"}, where ${SEQUENCE} is no multiple`, async () => {
        const [whole, cut] = [await runLayer(window, 1), await runLayer(window, queryBlocks)];
        expect(whole.some((value) => Math.abs(value) > 0.1)).toBe(true);
        cut.forEach((value, i) => expectSum(value, whole[i], within(whole), `element ${i}`));
      });
    }
  }

  for (const per of ["token", "tensor"] as const) {
    it(`quantizes attention's products per ${per} alike in one block of queries and in several`, async () => {
      const channels = { residualChannels: false, downChannels: false };
      const activations: InputOptions = { bits: 5, per, matmuls: true, ...channels };
      const whole = await runLayer(4, 1, { activations });
      const without = await runLayer(4, 1, { activations: { ...activations, matmuls: false } });
      expect(whole).not.toEqual(without);
      const cut = await runLayer(4, 4, { activations });
      cut.forEach((value, i) => expectSum(value, whole[i], within(whole), `element ${i}`));
    });
  }

  it("keeps a token from what comes after it and from the other windows", async () => {
    const [before, after] = [await runLayer(null, 1), await runLayer(null, 1, { poison: 100 })];
    const last = (SEQUENCE - 1) * HIDDEN;
    expect(after.subarray(0, last)).toEqual(before.subarray(0, last));
    expect(after.subarray(last + HIDDEN)).toEqual(before.subarray(last + HIDDEN));
    expect(after.subarray(last, last + HIDDEN)).not.toEqual(before.subarray(last, last + HIDDEN));
  });
});
