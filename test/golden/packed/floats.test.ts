import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { writeParts, type Tensors } from "../../support/rewrittenCheckpoint.ts";

const stored = z.object({ dtype: z.string(), shape: z.array(z.number()), data: z.base64() });
// scripts/golden/float_weights.py
const { cases } = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        config: z.looseObject({}),
        tensors: z.record(z.string(), stored),
        weight: z.string(),
        values: stored,
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "floats.json"), "utf8")));

/** How each case is named to people. */
const PACKINGS: Readonly<Record<string, string>> = {
  blocks: "FP8 E4M3, block 16×32",
  "blocks in F16": "FP8 E4M3, block 16×32",
  "exponents as scales": "FP8 E4M3, block 16×32",
  "one scale, activations too": "FP8 E4M3, tensor",
  "one scale a row": "FP8 E4M3, channel",
  "E5M2, one scale": "FP8 E5M2, tensor",
  "blocks that do not divide": "FP8 E4M3, block 16×32",
  "compressed-tensors, rows": "FP8 E4M3, channel",
  "compressed-tensors, one scale": "FP8 E4M3, tensor",
  "compressed-tensors, blocks": "FP8 E4M3, block 16×32",
  NVFP4: "NVFP4, group 16",
  MXFP4: "MXFP4, group 32",
  "gpt-oss": "MXFP4, group 32",
};

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

async function open(config: object, tensors: Tensors): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(await writeParts({ config: { model_type: "own", ...config }, tensors }));
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

const tensorsOf = (tensors: (typeof cases)[number]["tensors"]): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, it]) => [name, { ...it, data: bytesOf(it.data) }]));

describe("8- and 4-bit floats are, bit for bit, what transformers and compressed-tensors unpack", () => {
  for (const { name, config, tensors, weight, values } of cases)
    it(name, async () => {
      const checkpoint = await open(config, tensorsOf(tensors));
      expect(checkpoint.packing).toBe(PACKINGS[name]);
      const info = checkpoint.tensors.get(weight);
      expect([...checkpoint.tensors.keys()]).toEqual([weight]);
      expect(info).toMatchObject({ dtype: values.dtype, shape: values.shape });
      const expected = bytesOf(values.data);
      expect(Buffer.from(await checkpoint.readBytes(weight)).equals(expected)).toBe(true);
      // and a part of it, which begins and ends between rows
      expect(Buffer.from(await checkpoint.readBytes(weight, 6, 200)).equals(expected.subarray(6, 200))).toBe(true);
      if (values.shape.length !== 2) return;
      const whole = await checkpoint.read(weight);
      const columns = values.shape[1];
      const rows = await checkpoint.readRows(weight, [5, 2, 3]);
      expect(rows).toEqual(
        Float32Array.from([5, 2, 3].flatMap((row) => [...whole.subarray(row * columns, (row + 1) * columns)])),
      );
    });
});

const [{ tensors: blocks, weight }] = cases;

it("8-bit floats with scales beside them are read where no file speaks of a packing", async () => {
  const [{ values }] = cases;
  const checkpoint = await open({ dtype: "bfloat16" }, tensorsOf(blocks));
  expect(Buffer.from(await checkpoint.readBytes(weight)).equals(bytesOf(values.data))).toBe(true);
});

it("8-bit floats without scales are the values themselves", async () => {
  const { [weight]: codes } = tensorsOf(blocks);
  const checkpoint = await open({}, { [weight]: codes });
  expect(checkpoint.packing).toBe("FP8 E4M3");
  expect((await checkpoint.read(weight)).length).toBe(32 * 64);
});

it("scales that are no grid over their matrix are refused by name", async () => {
  const tensors = tensorsOf(blocks);
  const scale = tensors[`${weight}_scale_inv`];
  await expect(
    open({ quantization_config: { quant_method: "fp8" } }, { ...tensors, [`${weight}_scale_inv`]: { ...scale, shape: [4] } }),
  ).rejects.toMatchObject({
    code: "checkpoint/bad-packing",
    message: expect.stringContaining("is no grid of blocks over 32 × 64 weights") as string,
  });
});
