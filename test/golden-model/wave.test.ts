import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cancelledError } from "#shared/errors.ts";
import type { Progress } from "#shared/contract/job.ts";
import { ORIGINAL } from "#engine/tasks/score/runTasks.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { scaleWeights } from "#engine/superweight/ablate/edits.ts";
import { DEMO_LOGITS, divergenceBound, expectSum, float64Bound } from "../support/rounding.ts";
import { demoVariant, demoWindows, openDemo, type Demo } from "./demoModel.ts";

const RECIPE = { scheme: "affine", bits: 3, granularity: "group:64" };

let demo: Demo;
let windows: WindowSet;
let reference: OriginalReference;
beforeAll(async () => {
  demo = await openDemo();
  windows = await demoWindows(demo, { tokens: 600 });
  reference = await scoreOriginal({ ...demo, windows, trajectory: true });
});
afterAll(() => demo.close());

const wave = (variants: Variant[], more: object = {}, engine: Engine = demo) =>
  scoreWave({ ...engine, windows, reference, variants, ...more });

/** Counts the layers that are computed. */
function counting(): Engine & { layers: number[] } {
  const layers: number[] = [];
  const { forward } = demo;
  return {
    ...demo,
    layers,
    forward: {
      ...forward,
      layer: (layer, hidden, weights) => {
        layers.push(layer);
        return forward.layer(layer, hidden, weights);
      },
    },
  };
}

describe("a wave", () => {
  it("gives each variant what it gets alone", async () => {
    const variants = [demoVariant(demo, "a", RECIPE), demoVariant(demo, "b", { ...RECIPE, bits: 2 })];
    const together = await wave(variants);
    for (const [i, variant] of variants.entries()) {
      const [alone] = await wave([variant]);
      expect(together[i].scores).toEqual(alone.scores);
      expect(together[i].tensors).toEqual(alone.tensors);
    }
  });

  it("finds no difference in a variant that changes nothing", async () => {
    const [{ scores, tensors, sqnrDb }] = await wave([ORIGINAL]);
    expect(scores?.nll).toBe(reference.scores.nll);
    expectSum(scores?.kl?.mean, 0, divergenceBound(0, DEMO_LOGITS), "KL");
    expect(scores?.kl?.topAgreement).toBe(1);
    expect(tensors).toEqual([]);
    expect(sqnrDb).toBeNull();
  });

  it("computes the layers before a variant's first change once for all", async () => {
    const engine = counting();
    const late = (id: string, factor: number): Variant => ({
      id,
      plans: new Map(),
      edits: scaleWeights(demo.architecture, [[4, 0, 0]], factor),
    });
    await wave([late("a", 0), late("b", 3)], {}, engine);
    const batches = engine.layers.filter((layer) => layer === 0).length;
    expect(engine.layers.filter((layer) => layer < 4)).toHaveLength(4 * batches);
    expect(engine.layers.filter((layer) => layer >= 4)).toHaveLength(2 * 2 * batches);
  });

  it("reports the relative error of the residual stream: 0 before the first change, more behind it", async () => {
    const edits = scaleWeights(demo.architecture, [[2, 5, 5]], 100);
    const [{ layers }] = await wave([{ id: "late", plans: new Map(), edits }]);
    expect(layers.map(({ layer }) => layer)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(layers.slice(0, 2).map(({ relative }) => relative)).toEqual([0, 0]);
    expect(layers.slice(2).every(({ relative }) => relative !== null && relative > 0 && relative < 1)).toBe(
      true,
    );
  });

  it("measures layer errors without running the original again", async () => {
    const engine = counting();
    const [{ layers }] = await wave([demoVariant(demo, "a", RECIPE)], {}, engine);
    const batches = engine.layers.filter((layer) => layer === 0).length;
    expect(engine.layers).toHaveLength(6 * batches);
    expect(layers.every(({ relative }) => relative !== null && relative > 0)).toBe(true);
  });

  it("quantizes the embedding and the output head where the recipe does not keep them", async () => {
    const [kept, all] = await wave([
      demoVariant(demo, "kept", RECIPE),
      demoVariant(demo, "all", { ...RECIPE, ignore: [] }),
    ]);
    expect(all.tensors.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["model.embed_tokens.weight", "lm_head.weight"]),
    );
    expect(all.tensors).toHaveLength(kept.tensors.length + 2);
    expect((all.scores?.kl?.mean ?? NaN) > (kept.scores?.kl?.mean ?? NaN)).toBe(true);
  });

  it("goes on without a variant whose weights cannot be made", async () => {
    const overflow = scaleWeights(demo.architecture, [[3, 0, 0]], 1e9);
    const broken: Variant = {
      ...demoVariant(demo, "broken", { scheme: "int", bits: 4, symmetric: true, granularity: "group:64" }),
      edits: overflow,
    };
    const [bad, good] = await wave([broken, demoVariant(demo, "good", RECIPE)]);
    expect(bad).toMatchObject({ scores: null, error: { code: "quantize/scale-overflow" } });
    expect((good.scores?.kl?.mean ?? NaN) > 0).toBe(true);
  });

  it("gives null, not a number, for a variant whose forward pass overflows", async () => {
    const edits = scaleWeights(demo.architecture, [[3, 0, 0]], 1e60);
    const [{ scores }] = await wave([{ id: "overflow", plans: new Map(), edits }]);
    expect(scores).toMatchObject({ nll: null, perplexity: null, notFinite: true });
  });

  it("gives NLL and KL of every token in the order of the text where asked", async () => {
    const [{ perToken, scores }] = await wave([demoVariant(demo, "a", RECIPE)], { perToken: true });
    expect(perToken?.nll).toHaveLength(windows.scored);
    const mean = Array.from(perToken?.nll ?? []).reduce((total, nll) => total + nll, 0) / windows.scored;
    expectSum(scores?.nll, mean, float64Bound({ magnitude: mean, terms: windows.scored }), "mean");
  });

  it("reports progress up to its total", async () => {
    const seen: Progress[] = [];
    await wave([demoVariant(demo, "a", RECIPE)], { onProgress: (progress: Progress) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({ unit: "tokens·layers", phase: "output head", secondsLeft: 0 });
    expect(seen.at(-1)?.done).toBe(seen[0].total);
    expect(seen[0].phase).toBe("layer 1 of 6");
  });

  it("stops between batches when it is cancelled", async () => {
    let asked = 0;
    const control = {
      check: () => {
        if (++asked === 3) throw cancelledError();
      },
    };
    await expect(wave([demoVariant(demo, "a", RECIPE)], { control })).rejects.toThrow(
      "The job was cancelled.",
    );
    expect(asked).toBe(3);
  });

  it("refuses a reference of other windows", async () => {
    const other = await demoWindows(demo, { tokens: 100 });
    await expect(wave([ORIGINAL], { windows: other })).rejects.toThrow(/The original was scored on/);
  });
});

it("refuses weights that are not finite, naming the tensor", async () => {
  const name = "model.layers.2.mlp.up_proj.weight";
  const checkpoint: Engine["checkpoint"] = Object.create(demo.checkpoint, {
    read: {
      value: async (asked: string, out?: Float32Array) => {
        const values = await demo.checkpoint.read(asked, out);
        if (asked === name) values[7] = NaN;
        return values;
      },
    },
  }) as Engine["checkpoint"];
  await expect(scoreOriginal({ ...demo, checkpoint, windows })).rejects.toThrow(name);
});
