import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DEMO, startStudio, temporaryFolder } from "./helpers.ts";
import { waitForJob } from "#studio/context/waitForJob.ts";

const TEXT = join(DEMO, "..", "eval.jsonl");

/** The demo model under a type that no family has. */
function strangeDemo(): string {
  const folder = temporaryFolder();
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    copyFileSync(join(DEMO, name), join(folder, name));
  symlinkSync(join(DEMO, "model.safetensors"), join(folder, "model.safetensors"));
  const config = JSON.parse(readFileSync(join(DEMO, "config.json"), "utf8")) as object;
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ ...config, model_type: "own", architectures: ["OwnModel"] }),
  );
  return folder;
}

const studioOnDemo = () => startStudio({ home: temporaryFolder(), overrides: { device: "cpu" } });

it("a strange model can be looked at, scanned, tried as the family that its tensors have, and no other", async () => {
  const studio = studioOnDemo();
  const path = strangeDemo();
  const { unsupported, unknown } = await studio.call("model:open", { path });
  expect(unknown).toMatchObject({ modelType: "own", nearest: "llama", tryAs: "llama", text: unsupported });
  const [first] = (await studio.call("model:scan", { path })).layers;
  expect(first).toMatchObject({ layer: 1, row: 137, column: 401 });
  const tried = await studio.call("model:try", { path, family: "llama", text: TEXT });
  expect(tried).toMatchObject({ family: "llama", chance: 1024, verdict: "plausible" });
  expect(tried.perplexity).toBeLessThan(32);
  await expect(studio.call("model:try", { path, family: "qwen2" })).rejects.toMatchObject({
    code: "architecture/missing-tensor",
  });
  await expect(studio.call("job:detect", { model: path })).rejects.toMatchObject({
    code: "architecture/unsupported",
  });
});

it("a strange model is quantized tensor by tensor, bit for bit as the family would have it", async () => {
  const studio = studioOnDemo();
  const path = strangeDemo();
  const recipe = { scheme: "affine", bits: 4, granularity: "group:64", restore: [[1, 137, 401]] } as const;
  const outs = ["own", "llama"].map((name) => join(temporaryFolder(), name));
  for (const [i, model] of [path, DEMO].entries()) {
    const { job } = await studio.call("job:export", {
      model,
      request: { recipe, out: outs[i] },
      verify: null,
    });
    await waitForJob(studio, job);
  }
  const [own, llama] = outs.map((out) => readFileSync(join(out, "model.safetensors")));
  expect(own.equals(llama)).toBe(true);
  const packed = { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:64" } as const;
  const check = (format: "compressed-tensors" | "gguf", model = path) =>
    studio.call("export:check", {
      model,
      request: { recipe: packed, format, out: join(temporaryFolder(), "x") },
    });
  expect((await check("compressed-tensors")).problems).toEqual([]);
  expect((await check("gguf")).problems[0]).toMatchObject({ code: "export/unknown-family" });
});

it("what needs a forward pass is refused before anything is written", async () => {
  const studio = studioOnDemo();
  const model = strangeDemo();
  const out = join(temporaryFolder(), "out");
  const recipe = { scheme: "affine", bits: 4, granularity: "group:64" } as const;
  await expect(
    studio.call("job:export", { model, request: { recipe, out }, verify: { text: TEXT, judge: {} } }),
  ).rejects.toMatchObject({ code: "architecture/unsupported", next: "Leave out --verify." });
  await expect(
    studio.call("job:export", {
      model,
      request: { recipe: { ...recipe, restore: "super-weights" }, out },
      verify: null,
    }),
  ).rejects.toMatchObject({ code: "architecture/unsupported" });
});
