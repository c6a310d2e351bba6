import { textsOf } from "#shared/notes.ts";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { f32, safetensorsBytes } from "../support/safetensorsBytes.ts";
import { writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";

const FIRST = "model-00001-of-00003.safetensors";

/** Opens a valid checkpoint after a change that leaves it valid. */
async function opens(change: (folder: string) => Promise<unknown>, shards = 1): Promise<Checkpoint> {
  const folder = await writeSyntheticCheckpoint({ shards });
  await change(folder);
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

const weights = (bytes: Uint8Array) => (folder: string) =>
  writeFile(join(folder, "model.safetensors"), bytes);

describe("an unusual but valid checkpoint is opened", () => {
  it("with a header padded by spaces", async () => {
    const checkpoint = await opens(weights(safetensorsBytes({ a: f32([2]) }, { padding: "       " })));
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
  });

  it("with header entries in another order than their bytes", async () => {
    const checkpoint = await opens(weights(safetensorsBytes({ b: f32([1], [4, 8]), a: f32([1], [0, 4]) })));
    expect([...checkpoint.tensors.keys()]).toEqual(["a", "b"]);
  });

  it("with tensors of no elements anywhere between others", async () => {
    const checkpoint = await opens(
      weights(safetensorsBytes({ none: f32([0, 3]), a: f32([1]), nothing: f32([3, 0]), b: f32([]) })),
    );
    expect(checkpoint.tensors.get("none")?.bytes).toBe(0);
    expect(await checkpoint.read("nothing")).toHaveLength(0);
    expect(await checkpoint.read("b")).toEqual(Float32Array.of(0));
  });

  it("with a tensor named __proto__", async () => {
    const checkpoint = await opens(
      weights(
        safetensorsBytes(
          {},
          {
            headerText: '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            trailing: new Uint8Array(1),
          },
        ),
      ),
    );
    expect(checkpoint.tensors.get("__proto__")?.dtype).toBe("U8");
  });

  it("with types it cannot compute with, which only reading refuses", async () => {
    const checkpoint = await opens(
      weights(safetensorsBytes({ packed: { dtype: "F4", shape: [2, 4], data: new Uint8Array(4) } })),
    );
    expect(checkpoint.tensors.get("packed")).toMatchObject({ dtype: "F4", parameters: 8, bytes: 4 });
    await expect(checkpoint.read("packed")).rejects.toMatchObject({ code: "checkpoint/unreadable-dtype" });
    expect(await checkpoint.readBytes("packed")).toHaveLength(4);
  });

  it("with a weight file of another name, noting it", async () => {
    const checkpoint = await opens((folder) =>
      rename(join(folder, "model.safetensors"), join(folder, "weights.safetensors")),
    );
    expect(textsOf(checkpoint.notes)).toEqual([
      "The weights are in weights.safetensors instead of model.safetensors.",
    ]);
  });

  it("with model.safetensors beside the index and shards of another save, which are passed over as transformers does", async () => {
    const checkpoint = await opens(weights(safetensorsBytes({ a: f32([2]) })), 3);
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
    expect(textsOf(checkpoint.notes)).toEqual([
      "model.safetensors holds the weights that are read, as in transformers; passed over: model.safetensors.index.json, model-00001-of-00003.safetensors, model-00002-of-00003.safetensors and 1 more.",
    ]);
    expect(checkpoint.inventory).toContainEqual({
      name: FIRST,
      kind: "file",
      notUsedBecause: {
        code: "passed-over",
        text: "model.safetensors is read before it, as in transformers",
      },
    });
  });

  it("with shards that are links out of the folder, as in Hugging Face's cache", async () => {
    const blobs = await mkdtemp(join(tmpdir(), "keystone-blobs-"));
    onTestFinished(() => rm(blobs, { recursive: true }));
    const checkpoint = await opens(async (folder) => {
      await rename(join(folder, FIRST), join(blobs, "blob"));
      await symlink(join(blobs, "blob"), join(folder, FIRST));
    }, 3);
    const first = [...checkpoint.tensors.values()].find((tensor) => tensor.file === FIRST);
    expect(await checkpoint.read(first?.name ?? "")).toHaveLength(first?.parameters ?? 0);
  });
});
