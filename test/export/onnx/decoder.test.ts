import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { float32Bound, sumsOf } from "../../support/rounding.ts";
import { largestDifference, runModel } from "../../forward/runModel.ts";
import { temporaryFolder } from "../../support/syntheticCheckpoint.ts";
import { openDecoder, relativeDifference, type DecoderSession } from "./decoderSession.ts";
import { exportDecoder } from "./exportDecoder.ts";

const GOLDEN = join(import.meta.dirname, "..", "..", "golden", "transformers");
/** Of the largest logit. Measured: at most 4e-7. */
const RUNTIME_TOLERANCE = float32Bound({ magnitude: 1, ...sumsOf({ intermediateSize: 48, layers: 3 }) });
/** Against transformers, as for Keystone's own forward pass: logits reach ±19. */
const TRANSFORMERS_TOLERANCE = 20 * RUNTIME_TOLERANCE;

const golden = z.object({
  tokens: z.array(z.number()),
  logits: z
    .object({ f32: z.base64() })
    .transform(({ f32 }) => new Float32Array(new Uint8Array(Buffer.from(f32, "base64")).buffer)),
});

/** Their angles depend on the text's length: token by token, keys keep those of a shorter text, in transformers too. */
const LENGTH_DEPENDENT = ["llama-dynamic-beyond", "phi3-longrope-long"];

const UNQUANTIZED = { scheme: "int", bits: 4, granularity: "group:32", ignore: ["*"] };

describe("an exported decoder with unquantized weights, in onnxruntime", () => {
  for (const name of readdirSync(GOLDEN)) {
    it(`gives the logits of transformers and of Keystone's own pass on ${name}, whole and token by token`, async () => {
      const expected = golden.parse(JSON.parse(readFileSync(join(GOLDEN, name, "golden.json"), "utf8")));
      const checkpoint = await openCheckpoint(join(GOLDEN, name));
      const architecture = architectureOf(checkpoint);
      const out = await exportDecoder(checkpoint, await temporaryFolder(), UNQUANTIZED);
      const decoder = await openDecoder(out, architecture.facts);

      const whole = await decoder.run([expected.tokens]);
      const transformers = largestDifference(whole.logits, expected.logits);
      expect(transformers <= TRANSFORMERS_TOLERANCE, `transformers: ${transformers}`).toBe(true);
      const forward = await createForward(architecture, { device: "cpu", threads: 1 });
      const own = await runModel(architecture, checkpoint, forward, [expected.tokens]);
      const difference = relativeDifference(whole.logits, own.logits);
      expect(difference <= RUNTIME_TOLERANCE, `Keystone: ${difference}`).toBe(true);

      if (!LENGTH_DEPENDENT.includes(name)) {
        const stepwise = relativeDifference(await tokenByToken(decoder, expected.tokens), whole.logits);
        expect(stepwise <= RUNTIME_TOLERANCE, `token by token: ${stepwise}`).toBe(true);
      }
      await forward.close();
      await checkpoint.close();
    });
  }

  it("gives each window of a batch its own logits, behind padding", async () => {
    const folder = join(GOLDEN, "mistral-window");
    const { tokens } = golden.parse(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
    const checkpoint = await openCheckpoint(folder);
    const { facts } = architectureOf(checkpoint);
    const decoder = await openDecoder(
      await exportDecoder(checkpoint, await temporaryFolder(), UNQUANTIZED),
      facts,
    );
    const [long, short] = [tokens.slice(0, 12), tokens.slice(3, 10)];
    const padding = Array.from({ length: long.length - short.length }, () => 0);
    const both = await decoder.run([long, [...padding, ...short]], undefined, [
      long.map(() => 1),
      [...padding, ...short.map(() => 1)],
    ]);
    const alone = await Promise.all([long, short].map((window) => decoder.run([window])));
    const row = facts.vocabulary;
    const pieces = [
      both.logits.subarray(0, long.length * row),
      both.logits.subarray((long.length + padding.length) * row),
    ];
    pieces.forEach((logits, i) =>
      expect(relativeDifference(logits, alone[i].logits) <= RUNTIME_TOLERANCE).toBe(true),
    );
    await checkpoint.close();
  });
});

/** The first half at once, then one token after another: all logits below one another. */
async function tokenByToken(decoder: DecoderSession, tokens: readonly number[]): Promise<Float32Array> {
  const half = Math.ceil(tokens.length / 2);
  let step = await decoder.run([tokens.slice(0, half)]);
  const logits = [step.logits];
  for (const token of tokens.slice(half)) logits.push((step = await decoder.run([[token]], step)).logits);
  return Float32Array.from(logits.flatMap((part) => [...part]));
}
