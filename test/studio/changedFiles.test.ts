import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";
import { DEMO, fakeStudio, PLAN, temporaryFolder } from "./helpers.ts";

/** The demo model in a folder of its own, whose weights may be written over. */
function copiedDemo(): string {
  const folder = join(temporaryFolder(), "model");
  cpSync(DEMO, folder, { recursive: true });
  return folder;
}

/** Changes a tensor's bytes in place; name, shape and size stay. */
async function rewrite(folder: string, tensor: string, change: (bytes: Buffer) => void): Promise<void> {
  const checkpoint = await openCheckpoint(folder);
  const found = checkpoint.tensors.get(tensor);
  await checkpoint.close();
  if (!found) throw new Error(`There is no ${tensor}.`);
  const file = join(folder, found.file);
  const whole = readFileSync(file);
  change(whole.subarray(found.begin, found.end));
  writeFileSync(file, whole);
}

describe("a checkpoint whose weights were written over", () => {
  it("is searched again, even if only its super weight was taken out", async () => {
    const { studio } = fakeStudio();
    const path = copiedDemo();
    await waitForJob(studio, (await studio.call("job:detect", { model: path })).job);
    const { fingerprint } = await studio.call("model:open", { path });
    expect(await studio.call("model:detection", { path })).toMatchObject({ superWeights: [{ row: 137 }] });
    await rewrite(path, "model.layers.1.mlp.down_proj.weight", (bytes) =>
      bytes.writeUInt16LE(0, (137 * 704 + 401) * 2),
    );
    expect((await studio.call("model:open", { path })).fingerprint).toBe(fingerprint);
    expect(await studio.call("model:detection", { path })).toBeNull();
    expect((await studio.call("model:recent", {}))[0]).toMatchObject({ path, superWeights: null });
  });

  it("is another model to a run that began before, though it is laid out alike", async () => {
    const { studio, text } = fakeStudio();
    const path = copiedDemo();
    const { job, run } = await studio.call("job:sweep", { model: path, plan: PLAN, text });
    await waitForJob(studio, job);
    const before = await studio.call("model:open", { path });
    await rewrite(path, "model.layers.0.mlp.up_proj.weight", (bytes) => {
      for (let i = 0; i < bytes.length; i += 2) bytes[i] ^= 1;
    });
    const after = await studio.call("model:open", { path });
    expect(after.tensors).toEqual(before.tensors);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    await expect(studio.call("run:resume", { run })).rejects.toMatchObject({ code: "run/other-model" });
  });
});
