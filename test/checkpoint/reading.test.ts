import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { safetensorsBytes, storedAs } from "../support/safetensorsBytes.ts";
import { writeSyntheticCheckpoint, type SyntheticOptions } from "../support/syntheticCheckpoint.ts";

const DEMO = join(import.meta.dirname, "../../resources/demo-model/model");
const EMBEDDING = "model.embed_tokens.weight";
const DOWN = "model.layers.1.mlp.down_proj.weight";

async function open(folder: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

async function openSynthetic(options: SyntheticOptions = {}): Promise<Checkpoint> {
  return open(await writeSyntheticCheckpoint(options));
}

/** A checkpoint of one tensor `w` with the given values. */
async function openTensor(
  storage: "F32" | "F16" | "BF16",
  shape: readonly number[],
  values: Float32Array,
): Promise<Checkpoint> {
  const folder = await writeSyntheticCheckpoint();
  // a first tensor of odd length leaves `w` at an odd place in the file
  const odd = { dtype: "U8", shape: [3], data: new Uint8Array(3) };
  await writeFile(
    join(folder, "model.safetensors"),
    safetensorsBytes({ odd, w: storedAs(storage, shape, values) }),
  );
  return open(folder);
}

describe("an open checkpoint", () => {
  it("knows the demo model's tensors, their layers and roles", async () => {
    const checkpoint = await open(DEMO);
    expect(checkpoint.tensors.size).toBe(57);
    expect(checkpoint.sharded).toBe(false);
    expect(checkpoint.tensors.get(DOWN)).toMatchObject({
      shape: [256, 704],
      dtype: "F16",
      layer: 1,
      role: "mlp",
      linear: true,
    });
    expect(checkpoint.tensors.get(EMBEDDING)).toMatchObject({
      layer: null,
      role: "embedding",
      linear: false,
    });
    expect(checkpoint.tensors.get("lm_head.weight")).toMatchObject({ role: "head", linear: false });
    expect(checkpoint.tensors.get("model.norm.weight")).toMatchObject({
      role: "norm",
      layer: null,
      linear: false,
    });
    expect([...checkpoint.tensors.values()].filter((tensor) => tensor.linear)).toHaveLength(6 * 7);
  });

  it("reads the demo model's super weight where its reference found it", async () => {
    const checkpoint = await open(DEMO);
    const weights = await checkpoint.read(DOWN);
    expect(weights[137 * 704 + 401]).toBe(1.900390625);
  });

  it("gives the same values from one file and from three shards", async () => {
    const whole = await openSynthetic({ storage: "BF16" });
    const sharded = await openSynthetic({ storage: "BF16", shards: 3 });
    expect(sharded.sharded).toBe(true);
    expect(sharded.shards).toHaveLength(3);
    expect([...sharded.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
    for (const name of whole.tensors.keys()) expect(await sharded.read(name)).toEqual(await whole.read(name));
  });

  it.each(["F32", "F16", "BF16"] as const)(
    "reads %s tensors of several chunks exactly, into shared memory too",
    async (storage) => {
      const length = 2_500_001;
      const values = Float32Array.from({ length }, (_, i) => (i % 251) - 125);
      const checkpoint = await openTensor(storage, [length], values);
      expect(
        Buffer.compare(Buffer.from((await checkpoint.read("w")).buffer), Buffer.from(values.buffer)),
      ).toBe(0);
      const shared = new Float32Array(new SharedArrayBuffer(4 * length));
      expect(await checkpoint.read("w", shared)).toBe(shared);
      expect(shared.every((value, i) => value === values[i])).toBe(true);
    },
  );

  it("keeps NaN and infinities", async () => {
    const checkpoint = await openTensor("F16", [3], Float32Array.of(NaN, Infinity, -Infinity));
    expect(await checkpoint.read("w")).toEqual(Float32Array.of(NaN, Infinity, -Infinity));
  });

  it("reads any rows in the order asked, repeated or not", async () => {
    const columns = 5;
    const values = Float32Array.from({ length: 40_000 * columns }, (_, i) => i % 1021);
    const checkpoint = await openTensor("F16", [40_000, columns], values);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.nat(39_999), fc.nat(20)), { maxLength: 30 }), async (rows) => {
        const found = await checkpoint.readRows("w", rows);
        expect(found).toEqual(
          Float32Array.from(rows.flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)])),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("refuses a row outside the matrix and rows of a vector", async () => {
    const checkpoint = await openSynthetic();
    for (const row of [32, -1, 0.5, NaN])
      await expect(checkpoint.readRows(EMBEDDING, [0, row])).rejects.toMatchObject({
        code: "checkpoint/no-such-row",
      });
    await expect(checkpoint.readRows("model.norm.weight", [0])).rejects.toMatchObject({
      code: "checkpoint/not-a-matrix",
    });
  });

  it("gives stored bytes by range, relative to the tensor", async () => {
    const checkpoint = await openTensor("BF16", [4], Float32Array.of(1, 2, 3, -3));
    expect([...(await checkpoint.readBytes("w", 2, 6))]).toEqual([0x00, 0x40, 0x40, 0x40]);
    expect(await checkpoint.readBytes("w")).toHaveLength(8);
    await expect(checkpoint.readBytes("w", 0, 9)).rejects.toThrow(RangeError);
    await expect(checkpoint.readBytes("w", -1)).rejects.toThrow(RangeError);
  });

  it("refuses a tensor that is not there and a buffer of another length", async () => {
    const checkpoint = await openSynthetic();
    await expect(checkpoint.read("model.layers.9.mlp.down_proj.weight")).rejects.toMatchObject({
      code: "checkpoint/no-such-tensor",
    });
    await expect(checkpoint.read("model.norm.weight", new Float32Array(3))).rejects.toThrow(RangeError);
  });

  it("says that a file shrank after opening, and that it was closed", async () => {
    const folder = await writeSyntheticCheckpoint();
    const checkpoint = await open(folder);
    await truncate(join(folder, "model.safetensors"), 4000);
    await expect(checkpoint.read("lm_head.weight")).rejects.toMatchObject({ code: "checkpoint/read-failed" });
    await checkpoint.close();
    await expect(checkpoint.read(EMBEDDING)).rejects.toMatchObject({ code: "checkpoint/closed" });
  });
});
