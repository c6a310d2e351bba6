import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { generate } from "#engine/evaluate/generate/generate.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { variantForward } from "../../forward/variantForward.ts";
import { demoWindows, openDemo, type Demo } from "../../golden-model/demoModel.ts";
import { temporaryFolder } from "../../support/syntheticCheckpoint.ts";
import { openDecoder, relativeDifference, type DecoderSession } from "./decoderSession.ts";
import { exportDecoder, exportModel, onnxVariant } from "./exportDecoder.ts";

/** Of the largest logit; f32 sums in another order. Measured: at most 2e-6. */
const LOGITS_TOLERANCE = 1e-4;
/** Relative, of the perplexity. Measured: at most 1e-7. */
const PERPLEXITY_TOLERANCE = 1e-4;
const SUPER_WEIGHT = [1, 137, 401] as const;

const RECIPES = {
  "4 bits with the super weight restored": {
    ...{ scheme: "matmulnbits", bits: 4, granularity: "group:64" },
    restore: [SUPER_WEIGHT],
  },
  "4 bits symmetric, short last blocks, held out, clipped": {
    ...{ scheme: "matmulnbits", bits: 4, symmetric: true, granularity: "group:128" },
    ...{ restore: [SUPER_WEIGHT], excludeFromRange: true, range: { method: "zscore", threshold: 6 } },
  },
  "8 bits": { scheme: "matmulnbits", bits: 8, granularity: "group:32" },
  "Keystone's int": { scheme: "int", bits: 4, granularity: "group:32", restore: [SUPER_WEIGHT] },
  "everything in 4 bits, 50 restored in each matrix": {
    ...{ scheme: "matmulnbits", bits: 4, granularity: "group:16", ignore: [] },
    restore: { largest: 50 },
  },
};

let demo: Demo;
let windows: WindowSet;
let reference: OriginalReference;
beforeAll(async () => {
  demo = await openDemo();
  windows = await demoWindows(demo, { tokens: 500 });
  reference = await scoreOriginal({ ...demo, windows });
});
afterAll(() => demo.close());

async function exported(
  recipe: unknown,
): Promise<{ variant: Variant; decoder: DecoderSession; out: string }> {
  const { variant } = onnxVariant(exportModel(demo.checkpoint), recipe);
  const out = await exportDecoder(demo.checkpoint, await temporaryFolder(), recipe);
  return {
    variant: { id: variant.recipeId, plans: variant.plans },
    decoder: await openDecoder(out, demo.architecture.facts),
    out,
  };
}

/** exp of the mean NLL that the runtime's logits give on the windows' labels. */
async function runtimePerplexity(decoder: DecoderSession): Promise<number> {
  const { vocabulary } = demo.architecture.facts;
  let [sum, count] = [0, 0];
  for (const { ids, labels } of windows.windows) {
    const { logits } = await decoder.run([[...ids]]);
    labels.forEach((label, i) => {
      if (label < 0) return;
      const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
      const largest = Math.max(...row);
      const total = row.reduce((all, logit) => all + Math.exp(logit - largest), 0);
      sum += largest + Math.log(total) - (row[label] ?? Number.NaN);
      count++;
    });
  }
  return Math.exp(sum / count);
}

describe("the demo model as an ONNX decoder, in onnxruntime", () => {
  for (const [name, recipe] of Object.entries(RECIPES)) {
    it(`gives the studio's logits and perplexity: ${name}`, async () => {
      const { variant, decoder, out } = await exported(recipe);
      const [{ scores }] = await scoreWave({ ...demo, windows, reference, variants: [variant] });
      const perplexity = await runtimePerplexity(decoder);
      const off = Math.abs(perplexity / (scores?.perplexity ?? Number.NaN) - 1);
      expect(off <= PERPLEXITY_TOLERANCE, `perplexity ${perplexity}, off by ${off}`).toBe(true);

      const ids = [...windows.windows[0].ids];
      const { logits } = await decoder.run([ids]);
      const difference = relativeDifference(logits, await variantForward(demo, variant, ids));
      expect(difference <= LOGITS_TOLERANCE, `logits ${difference}`).toBe(true);

      const reopened = await openCheckpoint(out);
      const again = await scoreOriginal({ ...demo, checkpoint: reopened, windows });
      expect(again.scores.nll).toBe(scores?.nll);
      await reopened.close();
    });
  }

  it("decodes token by token what the whole pass gives, and greedily what Keystone generates", async () => {
    const { variant, decoder } = await exported(RECIPES["4 bits with the super weight restored"]);
    const { vocabulary } = demo.architecture.facts;
    const prompt = [...windows.windows[0].ids.subarray(0, 24)];
    const tokens = 40;
    const [own] = await generate({ ...demo, variants: [variant], prompts: [prompt], tokens, ends: [] });

    const generated: number[] = [];
    let step = await decoder.run([prompt]);
    while (generated.length < tokens) {
      const row = step.logits.subarray(-vocabulary);
      generated.push(row.indexOf(Math.max(...row)));
      step = await decoder.run([generated.slice(-1)], step);
    }
    expect(generated).toEqual(own.ids);
    const whole = await decoder.run([[...prompt, ...generated]]);
    const last = relativeDifference(step.logits, whole.logits.subarray(-vocabulary));
    expect(last <= LOGITS_TOLERANCE, `last token: ${last}`).toBe(true);
  });

  it("loses by the clip what the restored super weight brings back", async () => {
    const recipe = {
      ...{ scheme: "matmulnbits", bits: 4, granularity: "group:64" },
      range: { method: "zscore", threshold: 2 },
    };
    const [clipped, restored] = [
      await exported(recipe),
      await exported({ ...recipe, restore: [SUPER_WEIGHT] }),
    ];
    const [lost, kept] = [
      await runtimePerplexity(clipped.decoder),
      await runtimePerplexity(restored.decoder),
    ];
    expect(lost, `${lost} and ${kept}`).toBeGreaterThan(2 * kept);
  });
});
