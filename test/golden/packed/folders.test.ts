import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { expectSum, float32Bound, sumsOf } from "../../support/rounding.ts";
import { largestDifference, runModel } from "../../forward/runModel.ts";

const FOLDERS = join(import.meta.dirname, "folders");
const PACKINGS: Readonly<Record<string, string>> = {
  "compressed-tensors":
    "compressed-tensors int8, channel, symmetric; compressed-tensors int4, group 32, symmetric",
  "compressed-tensors-zero": "compressed-tensors int4, group 32, asymmetric",
  "gptq-act-order": "GPTQ int4, group 32",
  awq: "AWQ int4, group 32",
};
const golden = z.object({ tokens: z.array(z.number()), logits: z.array(z.number()) });

describe("packed checkpoints that other tools wrote", () => {
  for (const name of readdirSync(FOLDERS)) {
    it(`open and compute what the tool's own unpacking computes: ${name}`, async () => {
      const folder = join(FOLDERS, name);
      const { tokens, logits } = golden.parse(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
      const checkpoint = await openCheckpoint(folder);
      expect(checkpoint.packing?.split("; ").sort()).toEqual(PACKINGS[name]?.split("; ").sort());
      const architecture = architectureOf(checkpoint);
      const forward = await createForward(architecture, { device: "cpu", threads: 1 });
      const pass = await runModel(architecture, checkpoint, forward, [tokens]);
      const largest = Math.max(...logits.map(Math.abs));
      const within = float32Bound({ magnitude: largest, ...sumsOf(architecture.facts) });
      expectSum(largestDifference(pass.logits, Float32Array.from(logits)), 0, within, "logits");
      await forward.close();
      await checkpoint.close();
    });
  }
});
