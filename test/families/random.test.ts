import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { largestDifference, runModel } from "../forward/runModel.ts";
import { writeParts } from "../support/rewrittenCheckpoint.ts";
import { storedAs, type TensorSpec } from "../support/safetensorsBytes.ts";

// scripts/golden/families_random.py: configs drawn at random, whose weights both sides make from the tensors' names
const { cases } = z
  .object({
    cases: z.array(
      z.object({
        config: z.looseObject({ model_type: z.string() }),
        tensors: z.record(z.string(), z.array(z.number())),
        tokens: z.array(z.number()),
        logits: z.base64(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../golden/familiesRandom.json"), "utf8")));

/** Of the largest logit. */
const WITHIN = 1e-3;

/** 32-bit FNV-1a. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(name)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

/** Vectors are 0.5 … 1.5, matrices −w … w with w = 2 / √columns, from mulberry32. */
function weights(name: string, shape: readonly number[]): TensorSpec {
  let state = hash(name);
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1) >>> 0;
    mixed = (mixed ^ ((mixed + (Math.imul(mixed ^ (mixed >>> 7), mixed | 61) >>> 0)) >>> 0)) >>> 0;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const count = shape.reduce((product, size) => product * size, 1);
  const columns = shape.at(-1) ?? 1;
  const values = Float32Array.from({ length: count }, () =>
    shape.length === 1 ? uniform() + 0.5 : (uniform() - 0.5) * 2 * (2 / Math.sqrt(columns)),
  );
  return storedAs("F32", shape, values);
}

for (const [i, { config, tensors, tokens, logits }] of cases.entries())
  it(`${config.model_type}, random config ${i % 3}: logits as transformers has them`, async () => {
    const folder = await writeParts({
      config,
      tensors: Object.fromEntries(
        Object.entries(tensors).map(([name, shape]) => [name, weights(name, shape)]),
      ),
    });
    const checkpoint = await openCheckpoint(folder);
    const architecture = architectureOf(checkpoint);
    const forward = await createForward(architecture, { device: "cpu", threads: 1 });
    onTestFinished(async () => {
      await forward.close();
      await checkpoint.close();
    });
    const expected = new Float32Array(new Uint8Array(Buffer.from(logits, "base64")).buffer);
    const found = (await runModel(architecture, checkpoint, forward, [tokens])).logits;
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = largestDifference(found.slice(-expected.length), expected) / largest;
    expect(difference < WITHIN, `differ by ${difference} of the largest`).toBe(true);
  });
