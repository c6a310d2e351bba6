import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { detectOptions } from "#shared/detection.ts";
import { parseRecipe } from "#shared/plan.ts";
import { coordinateOf } from "#shared/recipe.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { detect } from "#engine/superweight/detect.ts";
import { scanWeights } from "#engine/superweight/evidence/scanWeights.ts";
import { exportTo, modelOf } from "../export/exporting.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { GOLDEN, plantedFolder, plantedIn, PROMPT, tokenizer, VALUE } from "./plantedFolder.ts";

/** Their experts are stored together, or with biases: other folders hold the same neurons apart. */
const LEFT_OUT = ["mixtral-fused", "qwen3_moe-fused", "gpt_oss", "gpt_oss-mxfp4"];
const CLIP = { method: "zscore", threshold: 3 };

const open = async (folder: string) => {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
};

describe("a planted super weight is found at its coordinates, kept by an export, and found there again", () => {
  for (const name of readdirSync(GOLDEN).filter((one) => !LEFT_OUT.includes(one)))
    it(name, async () => {
      const source = await open(await plantedFolder(name));
      const out = join(await temporaryFolder(), "export");
      const model = modelOf(source);
      const place = plantedIn(name);
      const recipe = parseRecipe({
        scheme: "affine",
        bits: 3,
        granularity: "channel",
        range: CLIP,
        restore: [coordinateOf(place)],
      });
      const { variant } = adaptVariant(model, { recipe, format: "safetensors", kept: "unquantized" });
      await exportTo({ folder: out, checkpoint: source, variant, out }, { format: "safetensors" });
      for (const checkpoint of [source, await open(out)]) {
        const architecture = architectureOf(checkpoint);
        const forward = await createForward(architecture, { device: "cpu", threads: 1 });
        onTestFinished(() => forward.close());
        // random models predict nothing, so that evidence alone can be asked for
        const { superWeights, candidates } = await detect({
          ...{ checkpoint, architecture, forward, tokenizer },
          options: detectOptions.parse({
            prompt: PROMPT,
            effect: false,
            threshold: { kind: "absolute", value: 10 },
          }),
        });
        const [first] = [...superWeights, ...candidates].toSorted((a, b) => b.timesMedian - a.timesMedian);
        expect(first).toMatchObject({ ...place, value: VALUE });
        expect(first.share).toBeGreaterThan(0.8);
        const [scanned] = (await scanWeights(checkpoint)).layers;
        expect(scanned).toMatchObject({ ...place, value: VALUE });
      }
    });
});
