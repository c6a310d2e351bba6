import { copyFile, mkdir, open, readdir, readFile, rename, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Identity } from "#engine/checkpoint/fingerprint.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import {
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../support/syntheticCheckpoint.ts";

const WEIGHTS = "model.safetensors";
/** Its down_proj holds 128 KiB, of which 16 KiB are looked at. */
const LARGE: SyntheticOptions = { storage: "F32", layers: 1, hidden: 64, intermediate: 512 };
const DOWN = "model.layers.0.mlp.down_proj.weight";

async function identityOf(folder: string): Promise<Identity> {
  const checkpoint = await openCheckpoint(folder);
  await checkpoint.close();
  const { fingerprint, revision } = checkpoint;
  return { fingerprint, revision };
}

/** Writes other bytes over a part of a tensor, in place. */
async function overwrite(folder: string, tensor: string, at: number, bytes: number): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  const begin = checkpoint.tensors.get(tensor)?.begin ?? NaN;
  await checkpoint.close();
  const file = await open(join(folder, WEIGHTS), "r+");
  await file.write(Buffer.alloc(bytes, 1), 0, bytes, begin + at);
  await file.close();
}

async function copyOf(folder: string): Promise<string> {
  const target = join(await temporaryFolder(), "copy");
  await mkdir(target);
  for (const file of await readdir(folder)) await copyFile(join(folder, file), join(target, file));
  return target;
}

describe("which model it is", () => {
  it("is told by config, layout, storage and weights", async () => {
    const folders = await Promise.all(
      [{}, { seed: 2 }, { layers: 3 }, { storage: "F16" as const }, { config: { rope_theta: 1 } }].map(
        (options) => writeSyntheticCheckpoint(options),
      ),
    );
    const prints = await Promise.all(folders.map(async (folder) => (await identityOf(folder)).fingerprint));
    expect(new Set(prints).size).toBe(5);
    expect(prints[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is the same for a copy, whose files were written at another time", async () => {
    const original = await writeSyntheticCheckpoint();
    const copy = await copyOf(original);
    await utimes(join(copy, WEIGHTS), new Date(0), new Date(0));
    const [first, second] = [await identityOf(original), await identityOf(copy)];
    expect(second.fingerprint).toBe(first.fingerprint);
    expect(second.revision).not.toBe(first.revision);
  });

  it("differs where one tensor was trained further, of the same shape and size", async () => {
    const folder = await writeSyntheticCheckpoint(LARGE);
    const before = await identityOf(folder);
    await overwrite(folder, DOWN, 0, 64 * 512 * 4);
    expect((await identityOf(folder)).fingerprint).not.toBe(before.fingerprint);
  });

  it("differs where one weight of a small tensor does", async () => {
    const folder = await writeSyntheticCheckpoint(LARGE);
    const before = await identityOf(folder);
    await overwrite(folder, "model.norm.weight", 4, 4);
    expect((await identityOf(folder)).fingerprint).not.toBe(before.fingerprint);
  });

  it("does not see one weight of a large tensor between the bytes it looks at; the revision does", async () => {
    const folder = await writeSyntheticCheckpoint(LARGE);
    const before = await identityOf(folder);
    await overwrite(folder, DOWN, 0, 4);
    const after = await identityOf(folder);
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(after.revision).not.toBe(before.revision);
  });

  it("gives a file that takes another's place a revision of its own, dated alike", async () => {
    const folder = await writeSyntheticCheckpoint(LARGE);
    const file = join(folder, WEIGHTS);
    await utimes(file, new Date(1e12), new Date(1e12));
    const before = await identityOf(folder);
    await writeFile(join(folder, "other"), await readFile(file));
    await utimes(join(folder, "other"), new Date(1e12), new Date(1e12));
    await rename(join(folder, "other"), file);
    const after = await identityOf(folder);
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(after.revision).not.toBe(before.revision);
  });

  it("stays as it is while the files do", async () => {
    const folder = await writeSyntheticCheckpoint({ shards: 3 });
    expect(await identityOf(folder)).toEqual(await identityOf(folder));
  });
});
