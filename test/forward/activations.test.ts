import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { activations, type Activations, type Coordinate } from "#shared/recipe.ts";
import { parseRecipe } from "#shared/plan.ts";
import { calibrate } from "#engine/evaluate/stream/calibrate.ts";
import { planActivations } from "#engine/recipe/planActivations.ts";
import { applySmoothing, planSmoothing, smoothingScales } from "#engine/recipe/smoothing.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { TokenWindow } from "#engine/evaluate/windows/windowSet.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { createScratch, createWeightMaker } from "#engine/evaluate/stream/variantWeights.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { HiddenBatch } from "#engine/forward/forward.ts";
import { planTensors } from "#engine/recipe/planTensors.ts";
import { float32Bound, sumsOf } from "../support/rounding.ts";
import { largestDifference, readHead } from "./runModel.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "activations");
/** Of the largest value. Measured: at most 7e-7. */
const OUTPUTS = 1e-4;
/** Of each value. Measured: at most 3e-7. */
const SMOOTHING = 1e-5;

const tensor = z
  .object({ shape: z.array(z.number()), f32: z.base64() })
  .transform(({ f32 }) => new Float32Array(new Uint8Array(Buffer.from(f32, "base64")).buffer));
const windows = z.array(z.array(z.number()));
const outputs = { windows, hidden: tensor, logits: tensor };
const golden = z
  .object({
    superWeights: z.array(z.tuple([z.number(), z.number(), z.number()])),
    cases: z.array(z.object({ activations, ...outputs })),
    smoothing: z.object({
      calibration: windows,
      maxima: z.array(tensor),
      alphas: z.array(
        z.object({ alpha: z.number(), scales: z.array(tensor), folded: z.record(z.string(), tensor) }),
      ),
      w8a8: z.array(z.object({ per: z.enum(["token", "tensor"]), ...outputs })),
    }),
  })
  .parse(JSON.parse(readFileSync(join(GOLDEN, "golden.json"), "utf8")));
const superWeights: readonly Coordinate[] = golden.superWeights;

let engine: Engine;
let maxima: ActivationMaxima;
beforeAll(async () => {
  const checkpoint = await openCheckpoint(GOLDEN);
  const architecture = architectureOf(checkpoint);
  engine = {
    checkpoint,
    architecture,
    forward: await createForward(architecture, { device: "cpu", threads: 1 }),
  };
  maxima = await calibrate({ ...engine, windows: windowSet(golden.smoothing.calibration) });
});
afterAll(async () => {
  await engine.forward.close();
  await engine.checkpoint.close();
});

function windowSet(all: readonly (readonly number[])[]): { windows: TokenWindow[]; scored: number } {
  const none = { document: 0, lead: 0 };
  return {
    windows: all.map((ids) => ({
      ...none,
      ids: Int32Array.from(ids),
      labels: new Int32Array(ids.length).fill(-1),
    })),
    scored: 0,
  };
}

function variantOf(settings: Activations, plans: Variant["plans"] = new Map()): Variant {
  const { architecture } = engine;
  return {
    id: "variant",
    plans,
    activations: planActivations(settings, { architecture, superWeights, maxima }),
  };
}

/** Final hidden states and logits of all real tokens, window after window; the windows go through as one padded batch. */
async function run(
  variant: Variant,
  all: readonly (readonly number[])[],
): Promise<{ hidden: Float32Array; logits: Float32Array }> {
  const { architecture, checkpoint, forward } = engine;
  const { layers, hiddenSize } = architecture.facts;
  const reader = createLayerReader(engine);
  const maker = createWeightMaker(architecture, variant, createScratch());
  let batch = await forward.embed(checkpoint, all);
  for (let layer = 0; layer < layers; layer++) {
    const weights = maker.layer(layer, await reader.read(layer));
    batch = await forward.layer(layer, batch, weights, variant.activations?.layers[layer]);
  }
  const hidden = realTokens(batch, hiddenSize);
  return { hidden, logits: await forward.logits(hidden, await readHead(architecture, checkpoint)) };
}

function realTokens({ data, sequence, lengths }: HiddenBatch, width: number): Float32Array {
  const rows = lengths.map((length, w) =>
    data.subarray(w * sequence * width, (w * sequence + length) * width),
  );
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

/** What another order of the sums may do, as a share of the largest value. */
const reordered = (): number => float32Bound({ magnitude: 1, ...sumsOf(engine.architecture.facts) });

function expectSame(actual: Float32Array, expected: Float32Array, bound: number, what: string): void {
  const off =
    largestDifference(actual, expected) / expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  expect(off <= bound, `${what} are off by ${off.toExponential(2)} of the largest (bound ${bound})`).toBe(
    true,
  );
}

function expectEach(actual: Float32Array, expected: Float32Array, what: string): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) =>
    expect(
      Math.abs(value - expected[i]) <= SMOOTHING * Math.abs(expected[i]),
      `${what} ${i}: ${value} instead of ${expected[i]}`,
    ).toBe(true),
  );
}

function nameOf({ method, bits, per, matmuls }: Activations): string {
  return `${method}, ${bits} bits per ${per}${matmuls ? ", attention's products too" : ""}`;
}

describe("quantized activations agree with PyTorch", () => {
  for (const { activations: settings, windows: tokens, ...expected } of golden.cases) {
    it(nameOf(settings), async () => {
      const { hidden, logits } = await run(variantOf(settings), tokens);
      expectSame(hidden, expected.hidden, OUTPUTS, "hidden states");
      expectSame(logits, expected.logits, OUTPUTS, "logits");
    });
  }

  it("and differ from the unquantized by far more than that", async () => {
    const [{ windows: tokens, hidden }] = golden.cases;
    const plain = await run({ id: "plain", plans: new Map() }, tokens);
    expect(largestDifference(plain.hidden, hidden) > 100 * OUTPUTS).toBe(true);
  });
});

it("a window's outputs do not depend on the windows it shares a batch with", async () => {
  for (const { activations: settings, windows: tokens } of golden.cases) {
    const variant = variantOf(settings);
    const together = await run(variant, tokens);
    const alone: number[] = [];
    for (const window of tokens) alone.push(...(await run(variant, [window])).hidden);
    expectSame(Float32Array.from(alone), together.hidden, reordered(), `${nameOf(settings)}: hidden states`);
  }
});

describe("SmoothQuant agrees with PyTorch", () => {
  it("on the calibration's maxima, padding left out", () => {
    const found = maxima.flatMap((groups) => groups.map(({ inputs }) => inputs));
    found.forEach((inputs, i) => expectEach(inputs, golden.smoothing.maxima[i], `group ${i}, channel`));
  });

  for (const { alpha, scales, folded } of golden.smoothing.alphas) {
    it(`on the scales and the folded norms and linears, α = ${alpha}`, async () => {
      maxima
        .flat()
        .forEach((group, i) =>
          expectEach(smoothingScales(group, alpha), scales[i], `group ${i}, scale of channel`),
        );
      const smoothing = planSmoothing(engine.architecture, maxima, alpha);
      expect(smoothing.size).toBe(3 * (2 + 5));
      for (const [name, expected] of Object.entries(folded)) {
        const weight = await engine.checkpoint.read(name);
        const change = smoothing.get(name);
        if (!change) throw new Error(`${name} is not smoothed`);
        expectEach(applySmoothing(weight, change, new Float32Array(weight.length)), expected, name);
      }
    });
  }

  for (const { per, windows: tokens, ...expected } of golden.smoothing.w8a8) {
    it(`on the outputs of W8A8 per ${per}: smoothed, then quantized`, async () => {
      const recipe = parseRecipe({ scheme: "int", bits: 8, symmetric: true, granularity: "tensor" });
      const { tensors: plans } = planTensors(recipe, [...engine.checkpoint.tensors.values()], {
        superWeights,
        decoder: () => engine.architecture.description,
        downProjection: (layer) => engine.architecture.downProjection(layer),
      });
      const settings = activations.parse({ per, method: "smoothquant" });
      const { hidden, logits } = await run(variantOf(settings, plans), tokens);
      expectSame(hidden, expected.hidden, OUTPUTS, "hidden states");
      expectSame(logits, expected.logits, OUTPUTS, "logits");
    });
  }

  it("changes nothing before the activations are quantized", async () => {
    const [{ windows: tokens }] = golden.cases;
    const { smoothing } = planActivations(activations.parse({ per: "token", method: "smoothquant" }), {
      architecture: engine.architecture,
      superWeights,
      maxima,
    });
    const plain = await run({ id: "plain", plans: new Map() }, tokens);
    const smoothed = await run(
      { id: "smoothed", plans: new Map(), activations: { layers: [], smoothing } },
      tokens,
    );
    expectSame(smoothed.hidden, plain.hidden, reordered(), "hidden states");
  });
});

describe("activations that cannot be quantized as asked", () => {
  const settings = activations.parse({ per: "token", method: "smoothquant" });

  it("SmoothQuant without a calibration is refused", () => {
    const { architecture } = engine;
    expect(() => planActivations(settings, { architecture, superWeights, maxima: null })).toThrow(
      expect.objectContaining({ code: "usage/no-calibration" }),
    );
  });

  it("SmoothQuant on norms without weights is refused, by calibration too", async () => {
    const architecture = {
      ...engine.architecture,
      smoothGroups: () => [{ input: "attention" as const, norms: [], onePlus: false, linears: [] }],
    };
    const refusal = expect.objectContaining({ code: "activations/no-norm-weight" }) as Error;
    expect(() => planActivations(settings, { architecture, superWeights, maxima })).toThrow(refusal);
    await expect(
      calibrate({ ...engine, architecture, windows: windowSet(golden.smoothing.calibration) }),
    ).rejects.toThrow(refusal);
  });
});
