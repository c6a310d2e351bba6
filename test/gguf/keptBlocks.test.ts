import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { tensorData } from "#engine/formats/gguf/write/tensorData.ts";
import { storedType } from "#engine/formats/gguf/write/storedTypes.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { WeightMemory } from "#engine/formats/write/weightMemory.ts";
import { adapted, bench, exportTo, freely, modelOf, variantOf, type Bench } from "../export/exporting.ts";

const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;
const Q4_0 = { scheme: "q4_0", bits: 4, granularity: "group:32" } as const;
const EMBEDDING = "model.embed_tokens.weight";

async function opened(folder: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

/** A GGUF file of a synthetic model, as a source. */
async function ggufSource(recipe: unknown): Promise<Bench> {
  const made = await bench({ ...SHAPE, storage: "F32" });
  const { variant } = adapted(made.checkpoint, recipe, "gguf");
  await exportTo({ ...made, variant }, { format: "gguf" });
  return { ...made, checkpoint: await opened(made.out), out: join(made.folder, "again") };
}

async function exportedAgain(source: Bench, recipe: unknown): Promise<Checkpoint> {
  const { variant } = adapted(source.checkpoint, recipe, "gguf");
  await exportTo({ ...source, variant }, { format: "gguf" });
  const { maxAbsDiff } = await verifyExport({
    ...{ source: source.checkpoint, variant, out: source.out, control: freely },
    evaluate: () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 }),
  });
  expect(maxAbsDiff).toBe(0);
  return opened(source.out);
}

async function ggufBytes(folder: string): Promise<Uint8Array> {
  const [name = ""] = (await readdir(folder)).filter((each) => each.endsWith(".gguf"));
  return readFile(join(folder, name));
}

describe("a matrix that a GGUF source holds in blocks and a recipe leaves alone", () => {
  it("keeps these very blocks, so that an export is no larger than its source", async () => {
    const source = await ggufSource({ scheme: "q8_0", bits: 8, granularity: "group:32", ignore: [] });
    const before = await ggufBytes(source.checkpoint.path);
    const again = await exportedAgain(source, Q4_0);
    for (const name of [EMBEDDING, "lm_head.weight"]) {
      expect(again.tensors.get(name)?.packed?.scheme).toBe("Q8_0");
      expect(await again.readBytes(name)).toEqual(await source.checkpoint.readBytes(name));
    }
    expect(again.tensors.get("model.layers.0.mlp.up_proj.weight")?.packed?.scheme).toBe("Q4_0");
    expect((await ggufBytes(source.out)).byteLength).toBeLessThan(before.byteLength);
  });

  it("is said to stay in the source's type where a super weight keeps it, and unquantized where it is", async () => {
    const source = await ggufSource({
      scheme: "q8_0",
      bits: 8,
      granularity: "group:32",
      ignore: ["*lm_head*"],
    });
    const restored = { ...Q4_0, restore: "super-weights" };
    const { changes } = adapted(source.checkpoint, restored, "gguf");
    expect(changes[0]?.text).toContain("down_proj.weight stays Q8_0, as it is in the source, because");
    const packed = { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:32" };
    const elsewhere = adapted(
      source.checkpoint,
      { ...packed, restore: "super-weights" },
      "compressed-tensors",
    );
    expect(elsewhere.changes[0]?.text).toContain("down_proj.weight stays unquantized, because");
  });

  it("keeps them where rows of queries and keys are in another order in the file", async () => {
    const source = await ggufSource({ scheme: "q4_1", bits: 4, granularity: "group:32" });
    const again = await exportedAgain(source, {
      ...{ scheme: "q8_0", bits: 8, granularity: "group:32" },
      overrides: [{ match: "*self_attn*", skip: true }],
    });
    for (const part of ["q_proj", "k_proj", "v_proj", "o_proj"]) {
      const name = `model.layers.1.self_attn.${part}.weight`;
      expect(again.tensors.get(name)?.packed?.scheme).toBe("Q4_1");
      expect(await again.readBytes(name)).toEqual(await source.checkpoint.readBytes(name));
    }
  });

  it("a recipe that quantizes nothing gives the source's tensors back, byte for byte", async () => {
    const source = await ggufSource({ scheme: "q5_0", bits: 5, granularity: "group:32", ignore: [] });
    await exportedAgain(source, { ...Q4_0, ignore: ["*"] });
    const [before, after] = [await ggufBytes(source.checkpoint.path), await ggufBytes(source.out)];
    const data = [...source.checkpoint.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    // the metadata in front names another recipe
    expect(Buffer.from(after.subarray(-data)).equals(Buffer.from(before.subarray(-data)))).toBe(true);
  });

  it("is copied in types that Keystone does not write as well: Q4_K, Q5_K, Q6_K", async () => {
    const golden = z.object({
      superBlocks: z.array(z.object({ type: z.string(), bytes: z.string() })),
    });
    const file = join(import.meta.dirname, "../golden/gguf/blocks.json");
    const { superBlocks } = golden.parse(JSON.parse(await readFile(file, "utf8")));
    const { checkpoint } = await bench();
    for (const { type, bytes } of superBlocks) {
      const stored = new Uint8Array(Buffer.from(bytes, "base64"));
      const size = { Q4_K: 144, Q5_K: 176, Q6_K: 210 }[type] ?? NaN;
      const place = { file: "model.gguf", begin: 0, end: stored.byteLength };
      const source = {
        ...tensorInfo(EMBEDDING, [stored.byteLength / size, 256], "F32", place),
        packed: { scheme: type, bitsPerWeight: (size * 8) / 256 },
      };
      expect(storedType(source)).toBe(type);
      const holding = {
        readBytes: (_: string, from = 0, to?: number) => Promise.resolve(stored.slice(from, to)),
      };
      const written = tensorData(
        {
          model: {
            ...modelOf(checkpoint),
            checkpoint: Object.assign(Object.create(checkpoint) as Checkpoint, holding),
          },
          variant: variantOf(checkpoint, { scheme: "affine", bits: 4, granularity: "tensor" }),
          memory: new WeightMemory(),
        },
        { name: "token_embd.weight", type, bytes: stored.byteLength, source, order: null, onePlus: false },
      );
      const chunks: Uint8Array[] = [];
      for await (const chunk of written) chunks.push(chunk);
      expect(new Uint8Array(Buffer.concat(chunks))).toEqual(stored);
    }
  });
});
