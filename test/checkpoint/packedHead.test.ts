import { textsOf } from "#shared/notes.ts";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { halves, longs, words } from "../support/packedParts.ts";
import { safetensorsBytes, type TensorSpec } from "../support/safetensorsBytes.ts";
import {
  syntheticTensors,
  temporaryFolder,
  writeSyntheticCheckpoint,
} from "../support/syntheticCheckpoint.ts";

const SHAPE = { hidden: 16, heads: 4, vocabulary: 32, storage: "F16", tied: true } as const;
const NINES = 0x99999999;
const nines = (shape: number[]): TensorSpec =>
  words(shape, Array<number>(shape.reduce((product, size) => product * size, 1)).fill(NINES));
/** 32 rows of 16 columns in one group: every weight is 1. */
const CT_HEAD = {
  weight_packed: nines([32, 2]),
  weight_scale: halves([32, 1]),
  weight_shape: longs([32n, 16n]),
};
const CT = {
  quant_method: "compressed-tensors",
  format: "pack-quantized",
  config_groups: { a: { targets: ["Linear"], weights: { num_bits: 4, strategy: "channel" } } },
};
const GPTQ_HEAD = {
  qweight: nines([2, 32]),
  qzeros: words([1, 4], Array<number>(4).fill(0x77777777)),
  scales: halves([1, 32]),
};
const GPTQ = { quant_method: "gptq", bits: 4, group_size: -1, sym: true, lm_head: true };

/** A model whose config ties the head to the embeddings, with a packed head beside them. */
async function tiedWithHead(
  head: Record<string, TensorSpec>,
  quantization_config: object,
): Promise<Checkpoint> {
  const plain = await writeSyntheticCheckpoint({ ...SHAPE, config: { quantization_config } });
  const folder = join(await temporaryFolder(), "model");
  await mkdir(folder);
  const parts = Object.entries(head).map(([name, spec]): [string, TensorSpec] => [`lm_head.${name}`, spec]);
  const tensors = { ...syntheticTensors(SHAPE), ...Object.fromEntries(parts) };
  await writeFile(join(folder, "model.safetensors"), safetensorsBytes(tensors));
  await writeFile(join(folder, "config.json"), await readFile(join(plain, "config.json")));
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

describe("a packed head beside embeddings that config.json ties it to", () => {
  it.each<[string, Record<string, TensorSpec>, object]>([
    ["compressed-tensors", CT_HEAD, CT],
    ["GPTQ", GPTQ_HEAD, GPTQ],
  ])("is the head, as transformers 5 has a plain one, and that is said: %s", async (_, head, settings) => {
    const checkpoint = await tiedWithHead(head, settings);
    expect(checkpoint.config["tie_word_embeddings"]).toBe(false);
    expect(textsOf(checkpoint.notes).join(" ")).toMatch(
      /ties the output head to the embeddings, but ".*" holds other values/,
    );
    expect(architectureOf(checkpoint)).toMatchObject({ headTensor: "lm_head.weight" });
    expect(new Set(await checkpoint.read("lm_head.weight"))).toEqual(new Set([1]));
  });
});
