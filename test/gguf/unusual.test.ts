import { textsOf } from "#shared/notes.ts";
import { mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { startStudio, temporaryFolder as studioFolder } from "../studio/helpers.ts";
import { ggufBytes, type GgufValue, type MadeTensor } from "../support/ggufBytes.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const [HIDDEN, INTERMEDIATE, VOCABULARY, HEADS] = [16, 24, 32, 4];

const METADATA: Readonly<Record<string, GgufValue>> = {
  "general.architecture": "llama",
  "llama.block_count": 1,
  "llama.context_length": 64,
  "llama.embedding_length": HIDDEN,
  "llama.feed_forward_length": INTERMEDIATE,
  "llama.attention.head_count": HEADS,
  "llama.attention.head_count_kv": HEADS,
  "llama.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
};

function filled(shape: readonly number[], seed: number): MadeTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, values: Float32Array.from({ length: count }, (_, i) => 0.1 * Math.sin(seed + 0.37 * i)) };
}

const TENSORS: Readonly<Record<string, MadeTensor>> = {
  "token_embd.weight": filled([VOCABULARY, HIDDEN], 1),
  "blk.0.attn_norm.weight": filled([HIDDEN], 2),
  "blk.0.attn_q.weight": filled([HIDDEN, HIDDEN], 3),
  "blk.0.attn_k.weight": filled([HIDDEN, HIDDEN], 4),
  "blk.0.attn_v.weight": filled([HIDDEN, HIDDEN], 5),
  "blk.0.attn_output.weight": filled([HIDDEN, HIDDEN], 6),
  "blk.0.ffn_norm.weight": filled([HIDDEN], 7),
  "blk.0.ffn_gate.weight": filled([INTERMEDIATE, HIDDEN], 8),
  "blk.0.ffn_up.weight": filled([INTERMEDIATE, HIDDEN], 9),
  "blk.0.ffn_down.weight": filled([HIDDEN, INTERMEDIATE], 10),
  "output_norm.weight": filled([HIDDEN], 11),
};

async function open(path: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(path);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

async function written(
  metadata: Readonly<Record<string, GgufValue>> = METADATA,
  tensors: Readonly<Record<string, MadeTensor>> = TENSORS,
): Promise<string> {
  const file = join(await temporaryFolder(), "model.gguf");
  await writeFile(file, ggufBytes(metadata, tensors));
  return file;
}

function without(key: string): Record<string, GgufValue> {
  return Object.fromEntries(Object.entries(METADATA).filter(([each]) => each !== key));
}

describe("a GGUF file", () => {
  it("without head_count_kv has a key head for every query head, as in llama.cpp", async () => {
    const checkpoint = await open(await written(without("llama.attention.head_count_kv")));
    expect(architectureOf(checkpoint).facts).toMatchObject({ heads: HEADS, keyValueHeads: HEADS });
  });

  it("that lacks a size is refused in the name of its metadata, not of a config.json", async () => {
    const checkpoint = await open(await written(without("llama.embedding_length")));
    expect(() => architectureOf(checkpoint)).toThrow(/the metadata of model\.gguf/);
    expect(() => architectureOf(checkpoint)).not.toThrow(/config\.json/);
  });

  it("with arrays of arrays under a key that nothing reads opens, and names the key", async () => {
    const checkpoint = await open(await written({ ...METADATA, "some.table": [[1, 2], [3], []] }));
    expect(() => architectureOf(checkpoint)).not.toThrow();
    expect(checkpoint.inventory).toContainEqual(
      expect.objectContaining({
        ...{ name: "some.table", kind: "config" },
        notUsedBecause: expect.objectContaining({ code: "not-of-family" }) as object,
      }),
    );
  });

  it("with arrays in one another without end is refused", async () => {
    const deep: GgufValue = [[[[[1]]]]];
    await expect(open(await written({ ...METADATA, "some.table": deep }))).rejects.toMatchObject({
      code: "gguf/bad-metadata",
    });
  });

  it.each([
    ["queries, keys and values", ["attn_q", "attn_k", "attn_v"], "o_proj"],
    ["values and output", ["attn_v", "attn_output"], "q_proj"],
  ])("with biases of %s only has zeros for the others of its block", async (_what, slots, absent) => {
    const biases = Object.fromEntries(
      slots.map((slot, i) => [`blk.0.${slot}.bias`, filled([HIDDEN], 20 + i)]),
    );
    const checkpoint = await open(await written(METADATA, { ...TENSORS, ...biases }));
    expect(() => architectureOf(checkpoint)).not.toThrow();
    expect(await checkpoint.read(`model.layers.0.self_attn.${absent}.bias`)).toEqual(
      new Float32Array(HIDDEN),
    );
    const present = await checkpoint.read("model.layers.0.self_attn.v_proj.bias");
    expect(present.some((value) => value !== 0)).toBe(true);
  });

  it("with a layer more than it counts leaves it out; with a tensor that no equation has it is refused", async () => {
    const more = await open(
      await written(METADATA, { ...TENSORS, "blk.1.attn_norm.weight": filled([HIDDEN], 30) }),
    );
    expect(() => architectureOf(more)).not.toThrow();
    expect(textsOf(more.notes).join(" ")).toContain("the config has 1 layers");
    const other = await open(
      await written(METADATA, { ...TENSORS, "blk.0.attn_sinks.weight": filled([HEADS], 31) }),
    );
    expect(() => architectureOf(other)).toThrow(/blk\.0\.attn_sinks\.weight/);
  });
});

describe("a GGUF file through links", () => {
  it("opens by a link to a blob without an ending, as Hugging Face's cache has it, and by the blob", async () => {
    const file = await written();
    const cache = await temporaryFolder();
    const blob = join(cache, "0a1b2c");
    await rename(file, blob);
    const link = join(cache, "snapshot", "tiny.gguf");
    await mkdir(join(cache, "snapshot"));
    await symlink(join("..", "0a1b2c"), link);
    await symlink(link, join(cache, "latest"));
    for (const path of [link, blob, join(cache, "latest"), join(cache, "snapshot")]) {
      const checkpoint = await open(path);
      expect(checkpoint.tensors.size).toBe(Object.keys(TENSORS).length);
    }
  });

  it("finds the parts of a split model beside the link, and where the link has another name beside the file", async () => {
    const cache = await temporaryFolder();
    await mkdir(join(cache, "snapshot"));
    const names = Object.keys(TENSORS);
    const parts = [names.slice(0, 6), names.slice(6)];
    for (const [i, part] of parts.entries()) {
      const split = { "split.no": i, "split.count": 2 };
      const own = i === 0 ? { ...METADATA, ...split } : { ...split };
      const tensors = Object.fromEntries(part.map((name) => [name, TENSORS[name]]));
      await writeFile(join(cache, `blob${i}`), ggufBytes(own, tensors));
      await symlink(join("..", `blob${i}`), join(cache, "snapshot", `tiny-0000${i + 1}-of-00002.gguf`));
    }
    const first = join(cache, "snapshot", "tiny-00001-of-00002.gguf");
    expect((await open(first)).tensors.size).toBe(names.length);
    await expect(open(join(cache, "blob0"))).rejects.toMatchObject({ code: "gguf/missing-part" });
    await expect(open(join(cache, "blob1"))).rejects.toThrow(/part 2 of 2 by its own metadata/);

    const plain = await temporaryFolder();
    for (const name of await readdir(join(cache, "snapshot")))
      await writeFile(join(plain, name), ggufBytes(...partOf(name, parts)));
    await symlink(join(plain, "tiny-00001-of-00002.gguf"), join(cache, "current.gguf"));
    expect((await open(join(cache, "current.gguf"))).tensors.size).toBe(names.length);
  });

  it("is the studio's model under the link's name, and Home lists it and its folder as there", async () => {
    const file = await written();
    const folder = await temporaryFolder();
    await rename(file, join(folder, "0a1b2c"));
    await mkdir(join(folder, "snapshot"));
    const link = join(folder, "snapshot", "tiny.gguf");
    await symlink(join("..", "0a1b2c"), link);
    const studio = startStudio({ home: studioFolder() });
    const summary = await studio.call("model:open", { path: link });
    expect(summary).toMatchObject({ path: link, name: "tiny", unsupported: null });
    await studio.call("model:open", { path: join(folder, "snapshot") });
    const recent = await studio.call("model:recent", {});
    expect(recent.map(({ path, missing }) => [path, missing])).toEqual(
      expect.arrayContaining([
        [link, false],
        [join(folder, "snapshot"), false],
      ]),
    );
  });
});

function partOf(
  name: string,
  parts: readonly (readonly string[])[],
): [Record<string, GgufValue>, Record<string, MadeTensor>] {
  const i = name.includes("-00001-of-") ? 0 : 1;
  const split = { "split.no": i, "split.count": 2 };
  const tensors = Object.fromEntries((parts[i] ?? []).map((each) => [each, TENSORS[each]]));
  return [i === 0 ? { ...METADATA, ...split } : split, tensors];
}
