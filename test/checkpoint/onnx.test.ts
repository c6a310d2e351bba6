import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { encodeModel, type OnnxGraph, type OnnxTensor } from "#engine/architecture/graph/onnx.ts";
import { bytesSource } from "#engine/files/byteSource.ts";
import { huggingFaceName } from "#engine/formats/onnx/layout/names.ts";
import { readOnnxModel } from "#engine/formats/onnx/read/readModel.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { KeystoneError } from "#shared/errors.ts";
import { expectSum, float32Bound, sumsOf } from "../support/rounding.ts";
import { relativeDifference } from "../export/onnx/decoderSession.ts";
import { runModel } from "../forward/runModel.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "onnx");
const BUILT = readdirSync(GOLDEN).filter((name) => name.startsWith("builder-"));

const golden = z.object({
  tokens: z.array(z.number()),
  logits: z
    .base64()
    .transform((text) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer)),
});

describe("a decoder that onnxruntime-genai's builder quantized", () => {
  for (const name of BUILT) {
    it(`opens and gives onnxruntime's logits: ${name}`, async () => {
      const expected = golden.parse(JSON.parse(readFileSync(join(GOLDEN, name, "golden.json"), "utf8")));
      const checkpoint = await openCheckpoint(join(GOLDEN, name));
      const architecture = architectureOf(checkpoint);
      expect(checkpoint.tensors.get("model.layers.0.self_attn.k_proj.weight")?.packed?.scheme).toMatch(
        /^MatMulNBits int4, group (16|32)$/,
      );
      const forward = await createForward(architecture, { device: "cpu", threads: 1 });
      const { logits } = await runModel(architecture, checkpoint, forward, [expected.tokens]);
      const difference = relativeDifference(logits, expected.logits);
      // of the largest logit; measured: at most 6e-7
      expectSum(difference, 0, float32Bound({ magnitude: 1, ...sumsOf(architecture.facts) }), "logits");
      await forward.close();
      await checkpoint.close();
    });
  }

  it("is refused without the source's config.json, by name", async () => {
    const folder = await copyOf("builder-untied");
    await rm(join(folder, "config.json"));
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code: "checkpoint/missing-file" });
  });
});

describe("names of an ONNX decoder's weights", () => {
  for (const [name, expected] of [
    ["model.layers.3.self_attn.q_proj.weight", "model.layers.3.self_attn.q_proj.weight"],
    ["model.layers.3.attn.o_proj.MatMul.weight", "model.layers.3.self_attn.o_proj.weight"],
    ["model.layers.3.attn.qkv_proj.Add.bias", "model.layers.3.self_attn.qkv_proj.bias"],
    ["/model/layers.3/mlp/down_proj/MatMul_Q4", "model.layers.3.mlp.down_proj.weight"],
    ["model.layers.3.mlp.gate_proj.MatMulNBits.qweight", "model.layers.3.mlp.gate_proj.weight"],
    ["model.layers.24.final_norm_layernorm.weight", "model.norm.weight"],
    ["lm_head.MatMul.weight", "lm_head.weight"],
    ["model.layers.3.input_layernorm.weight", "model.layers.3.input_layernorm.weight"],
    ["onnx::MatMul_1234", null],
    ["cos_cache", null],
    ["model.layers.3.attn.rotary", null],
  ] as const)
    it(`${name} is ${expected ?? "no weight"}`, () => expect(huggingFaceName(name)).toBe(expected));
});

describe("a damaged or hostile ONNX model", () => {
  it("is refused in one sentence, or opens and reads, whatever bytes change", async () => {
    const whole = await readFile(join(GOLDEN, "builder-untied", "model.onnx"));
    const folder = await copyOf("builder-untied");
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    const cut = fc.option(fc.nat(whole.length), { nil: whole.length });
    await fc.assert(
      fc.asyncProperty(changes, cut, async (edits, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of edits) bytes[at] = value;
        await writeFile(join(folder, "model.onnx"), bytes.subarray(0, length));
        try {
          const checkpoint = await openCheckpoint(folder);
          for (const { name, dtype } of checkpoint.tensors.values())
            if (dtype.startsWith("F")) await checkpoint.read(name).catch(expectKeystoneError);
          await checkpoint.close();
        } catch (thrown) {
          expectKeystoneError(thrown);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is refused whatever the bytes are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        await readOnnxModel(bytesSource("model.onnx", bytes)).catch(expectKeystoneError);
      }),
      { numRuns: 1000 },
    );
  });

  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const HUGE = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
  for (const [what, model, message] of [
    ["a graph longer than the file", bytes(0x3a, ...HUGE), /where 0 are left/],
    ["a number that does not end", bytes(0x08, 0xff, 0xff), /does not end/],
    ["a field 0", bytes(0x00, 0x00), /names field 0/],
    ["a group", bytes(0x3b), /of kind 3/],
    ["two graphs", bytes(0x3a, 0x00, 0x3a, 0x00), /2 graphs/],
    ["no graph", bytes(), /0 graphs/],
  ] as const)
    it(`is refused with ${what}`, async () => {
      const error = await readOnnxModel(bytesSource("model.onnx", model)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "onnx/malformed" });
      expect((error as Error).message).toMatch(message);
    });

  const weight = (data: OnnxTensor["data"], shape: readonly number[] = [4, 4]): OnnxTensor => ({
    ...{ name: "model.embed_tokens.weight", type: "float32", shape, data },
  });
  const inside = weight(new Uint8Array(64));
  const outside = (file: string, offset = 0, length = 64): OnnxTensor => weight({ file, offset, length });
  for (const [what, tensors, code] of [
    ["a file above the folder", [outside("../model.onnx")], "checkpoint/outside-folder"],
    ["an absolute path", [outside("/etc/passwd")], "checkpoint/outside-folder"],
    ["a hidden file", [outside(".bashrc")], "checkpoint/outside-folder"],
    ["a path of another system", [outside("C:\\data")], "checkpoint/outside-folder"],
    ["a file that is not there", [outside("other.data")], "checkpoint/missing-shard"],
    ["data past the file's end", [outside("model.onnx.data", 3e15)], "onnx/past-end"],
    ["fewer bytes than its shape needs", [weight(new Uint8Array(8))], "onnx/size-mismatch"],
    ["more bytes than its shape needs", [outside("model.onnx.data", 0, 68)], "onnx/size-mismatch"],
    ["a shape past every file", [weight(new Uint8Array(8), [2 ** 40, 2 ** 40])], "onnx/size-mismatch"],
    ["a tensor twice", [inside, inside], "onnx/malformed"],
    ["no weights", [], "checkpoint/no-tensors"],
  ] as const)
    it(`is refused with ${what}`, async () => {
      const folder = await folderOf({ initializers: tensors });
      await expect(openCheckpoint(folder)).rejects.toMatchObject({ code });
    });

  const packed = (changes: Record<string, number>, bytesOfCodes = 16, inputs = 3): Partial<OnnxGraph> => ({
    initializers: [
      { name: "lm_head.weight_Q4", type: "uint8", shape: [bytesOfCodes], data: new Uint8Array(bytesOfCodes) },
      { name: "lm_head.weight_scales", type: "float32", shape: [2], data: new Uint8Array(8) },
    ],
    nodes: [
      {
        ...{ type: "MatMulNBits", name: "head", domain: "com.microsoft", outputs: ["y"] },
        inputs: ["x", "lm_head.weight_Q4", "lm_head.weight_scales", "", "order"].slice(0, inputs),
        attributes: { N: 2, K: 16, bits: 4, block_size: 16, ...changes },
      },
    ],
  });
  for (const [what, graph] of [
    ["more rows than codes", packed({ N: 3 })],
    ["more columns than codes", packed({ K: 17 })],
    ["negative rows", packed({ N: -2 })],
    ["codes of 3 bits", packed({ bits: 3 })],
    ["blocks of 0", packed({ block_size: 0 })],
    ["too few codes", packed({}, 15)],
    ["columns in another order", packed({}, 16, 5)],
  ] as const)
    it(`is refused with ${what} in a quantized matrix`, async () => {
      await expect(openCheckpoint(await folderOf(graph))).rejects.toMatchObject({ code: "onnx/bad-matrix" });
    });

  it("opens once the same matrix is whole", async () => {
    const checkpoint = await openCheckpoint(await folderOf(packed({})));
    expect(await checkpoint.read("lm_head.weight")).toEqual(new Float32Array(32).fill(-0));
    await checkpoint.close();
  });
});

function expectKeystoneError(thrown: unknown): void {
  expect(thrown).toBeInstanceOf(KeystoneError);
}

async function copyOf(name: string): Promise<string> {
  const folder = join(await temporaryFolder(), name);
  await cp(join(GOLDEN, name), folder, { recursive: true });
  return folder;
}

async function folderOf(graph: Partial<OnnxGraph>): Promise<string> {
  const folder = join(await temporaryFolder(), "model");
  await mkdir(folder);
  const model = encodeModel({
    ...{ name: "test", nodes: [], initializers: [], inputs: [], outputs: [], opsets: [] },
    ...graph,
  });
  await writeFile(join(folder, "model.onnx"), model);
  await writeFile(join(folder, "model.onnx.data"), new Uint8Array(128));
  await writeFile(join(folder, "config.json"), "{}");
  return folder;
}
