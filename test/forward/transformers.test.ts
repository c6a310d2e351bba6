import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { expectSum, float32Bound, sumsOf } from "../support/rounding.ts";
import { largestDifference, runModel } from "./runModel.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "transformers");
/** What the random models compute reaches ±21. Measured: at most 2.2e-5 apart over all cases. */
const LARGEST = 20;

const tensor = z
  .object({ shape: z.array(z.number()), f32: z.base64() })
  .transform(({ f32 }) => new Float32Array(new Uint8Array(Buffer.from(f32, "base64")).buffer));
const golden = z.object({
  tokens: z.array(z.number()),
  logits: tensor,
  layers: z.array(z.object({ downInput: tensor, downOutput: tensor, residual: tensor })),
});

describe("the forward pass agrees with Hugging Face transformers", () => {
  for (const name of readdirSync(GOLDEN)) {
    it(`on ${name}`, async () => {
      const folder = join(GOLDEN, name);
      const expected = golden.parse(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
      const checkpoint = await openCheckpoint(folder);
      const architecture = architectureOf(checkpoint);
      const forward = await createForward(architecture, { device: "cpu", threads: 1 });
      const pass = await runModel(architecture, checkpoint, forward, [expected.tokens]);

      expect(pass.layers).toHaveLength(expected.layers.length);
      const differences: Record<string, number> = { logits: largestDifference(pass.logits, expected.logits) };
      pass.layers.forEach(({ taps, hidden }, i) => {
        differences[`layer ${i} down_proj input`] = largestDifference(
          taps.input,
          expected.layers[i].downInput,
        );
        differences[`layer ${i} down_proj output`] = largestDifference(
          taps.output,
          expected.layers[i].downOutput,
        );
        differences[`layer ${i} residual`] = largestDifference(hidden.data, expected.layers[i].residual);
      });
      const within = float32Bound({ magnitude: LARGEST, ...sumsOf(architecture.facts) });
      for (const [what, difference] of Object.entries(differences)) expectSum(difference, 0, within, what);
      await forward.close();
      await checkpoint.close();
    });
  }
});
