import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { judge } from "#shared/plan.ts";
import { activations, coordinate, type Activations } from "#shared/recipe.ts";
import { calibrate } from "#engine/evaluate/stream/calibrate.ts";
import { planActivations } from "#engine/recipe/planActivations.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { generate } from "#engine/evaluate/generate/generate.ts";
import { planBatches } from "#engine/evaluate/stream/hiddenStates.ts";
import { readHead } from "#engine/evaluate/stream/judgeHead.ts";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import { streamLayers } from "#engine/evaluate/stream/streamLayers.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { scaleWeights } from "#engine/superweight/ablate/edits.ts";
import { largestDifference } from "../forward/runModel.ts";
import { expectWithin } from "./bounds.ts";
import { demoFile, demoVariant, openDemo, type Demo } from "./demoModel.ts";

/**
 * One rounding that float32 noise decides moves all that follow it. The reference says how far its own perplexity moves when its
 * linears are summed in float64 (4e-4 at most); so much more is allowed. Measured here: at most 7e-4, with no such rounding 3e-8.
 */
const PERPLEXITY = 1e-3;
/** Of the largest value, on a passage without such roundings. Measured: at most 8.2e-7. */
const OUTPUTS = 1e-4;
/** How many times what a last digit of the calibration moves its last digits may move in all. */
const SEVERAL = 4;

const tensor = z
  .object({ shape: z.array(z.number()), f32: z.base64() })
  .transform(({ f32 }) => new Float32Array(new Uint8Array(Buffer.from(f32, "base64")).buffer));
const golden = z
  .object({
    demo: z.object({
      documents: z.number(),
      superWeights: z.array(coordinate),
      cases: z.array(
        z.object({
          activations,
          weights: z.string(),
          perplexity: z.number(),
          noise: z.number(),
          tokens: z.number(),
          passage: z.array(z.number()),
          hidden: tensor,
          logits: tensor,
        }),
      ),
    }),
  })
  .parse(
    JSON.parse(readFileSync(join(import.meta.dirname, "..", "golden", "activations", "golden.json"), "utf8")),
  ).demo;

let demo: Demo;
let windows: WindowSet;
let reference: OriginalReference;
let maxima: ActivationMaxima;
beforeAll(async () => {
  demo = await openDemo();
  windows = await firstDocuments("eval.jsonl");
  reference = await scoreOriginal({ ...demo, windows });
  maxima = await calibrate({ ...demo, windows: await firstDocuments("calibration.jsonl") });
});
afterAll(() => demo.close());

async function firstDocuments(file: string): Promise<WindowSet> {
  const documents = (await readDocuments(demoFile(file))).slice(0, golden.documents);
  return cutWindows(documents, demo.tokenizer, judge.parse({}), demo.architecture.facts.contextLength);
}

function variantOf(id: string, settings: Activations, calibrated = maxima): Variant {
  const weights = demoVariant(demo, id, { scheme: "int", bits: 8, symmetric: true, granularity: "tensor" });
  const { superWeights } = golden;
  return {
    ...weights,
    activations: planActivations(settings, {
      architecture: demo.architecture,
      superWeights,
      maxima: calibrated,
    }),
  };
}

interface LastToken {
  readonly hidden: Float32Array;
  readonly logits: Float32Array;
}

/** Hidden states and logits of a passage's last token. */
async function lastToken(variant: Variant, passage: readonly number[]): Promise<LastToken> {
  const labels = new Int32Array(passage.length).fill(-1).fill(0, -1);
  const window = { document: 0, lead: 1, ids: Int32Array.from(passage), labels };
  const plan = planBatches({ windows: [window], scored: 1 });
  const options = { original: false, checkFinite: false };
  const { lanes } = await streamLayers(demo, plan, [variant], options, createMeter(1, "tokens", {}), {});
  const { final } = lanes[0];
  if (!final) throw new Error("no hidden states came");
  return { hidden: final, logits: await demo.forward.logits(final, await readHead(demo)) };
}

/** Largest difference as a share of the largest value. */
function apart(actual: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return largestDifference(actual, expected) / largest;
}

function expectSame(actual: Float32Array, expected: Float32Array, within: number, what: string): void {
  const off = apart(actual, expected);
  const said = `${what} are off by ${off.toExponential(2)} of the largest (bound ${within.toExponential(2)})`;
  expect(off <= within, said).toBe(true);
}

/**
 * SmoothQuant's scales come from a calibration, whose last digits are rounding's to choose; they decide how some of the millions of
 * smoothed weights are rounded. What that does to the outputs, measured with every maximum a last digit larger.
 */
async function calibrationNoise(settings: Activations, passage: readonly number[], from: LastToken) {
  if (settings.method !== "smoothquant") return { hidden: 0, logits: 0 };
  const moved = maxima.map((groups) =>
    groups.map((group) => ({ ...group, inputs: group.inputs.map((x) => x * (1 + 2 ** -23)) })),
  );
  const other = await lastToken(variantOf("moved", settings, moved), passage);
  return { hidden: apart(other.hidden, from.hidden), logits: apart(other.logits, from.logits) };
}

describe("W8 with quantized activations agrees with PyTorch on the demo model", () => {
  for (const { activations: settings, perplexity, noise, passage, ...expected } of golden.cases) {
    const name = `${settings.method}, ${settings.bits} bits per ${settings.per}`;
    it(name, async () => {
      const variant = variantOf(name, settings);
      const found = await lastToken(variant, passage);
      const moves = await calibrationNoise(settings, passage, found);
      for (const what of ["hidden", "logits"] as const)
        expectSame(found[what], expected[what], OUTPUTS + SEVERAL * moves[what], what);
      const [score] = await scoreWave({ ...demo, windows, reference, variants: [variant] });
      expectWithin(score.scores?.perplexity, perplexity, PERPLEXITY + noise, name);
    });
  }
});

describe("a variant with quantized activations", () => {
  const aware = activations.parse({ per: "token", method: "super-activation" });

  it("in a wave gets what it gets alone", async () => {
    const variants = [
      variantOf("a", aware),
      variantOf("b", activations.parse({ per: "tensor", method: "smoothquant", bits: 6 })),
    ];
    const together = await scoreWave({ ...demo, windows, reference, variants });
    for (const [i, variant] of variants.entries()) {
      const [alone] = await scoreWave({ ...demo, windows, reference, variants: [variant] });
      expect(together[i].scores).toEqual(alone.scores);
    }
  });

  it("differs from the original from the first layer on, though no weight changes", async () => {
    const variant: Variant = { ...variantOf("a", aware), plans: new Map() };
    const kept = await scoreOriginal({ ...demo, windows, trajectory: true });
    const [{ layers, tensors }] = await scoreWave({ ...demo, windows, reference: kept, variants: [variant] });
    expect(tensors).toEqual([]);
    expect(layers.every(({ relative }) => relative !== null && relative > 0 && relative < 0.1)).toBe(true);
  });

  it("whose forward pass overflows gets null, not a number", async () => {
    const edits = scaleWeights(demo.architecture, [[2, 0, 0]], 1e60);
    const variant: Variant = { ...variantOf("overflow", aware), plans: new Map(), edits };
    const [{ scores }] = await scoreWave({ ...demo, windows, reference, variants: [variant] });
    expect(scores).toMatchObject({ nll: null, perplexity: null, notFinite: true });
  });

  it("goes on with the token that its own logits call likeliest", async () => {
    const variant = variantOf("a", activations.parse({ per: "tensor", method: "super-activation", bits: 4 }));
    const prompt = Array.from(windows.windows[0].ids.subarray(0, 12));
    const [written] = await generate({
      ...demo,
      variants: [variant],
      prompts: [prompt],
      tokens: 1,
      ends: [],
    });
    const { logits } = await lastToken(variant, prompt);
    expect(logits.indexOf(Math.max(...logits))).toBe(written.ids[0]);
  });
});
