import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { parseRecipe } from "#shared/plan.ts";
import { exportTo, modelOf } from "../export/exporting.ts";
import { readParts } from "../support/rewrittenCheckpoint.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "families");

async function open(location: string) {
  const checkpoint = await openCheckpoint(location);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

/** The folder that an export as safetensors writes. */
async function exported(name: string, recipe: object): Promise<string> {
  const folder = join(GOLDEN, name);
  const checkpoint = await open(folder);
  const out = join(await temporaryFolder(), "export");
  const format = "safetensors";
  const { variant } = adaptVariant(modelOf(checkpoint), {
    ...{ recipe: parseRecipe({ scheme: "nf4", bits: 4, granularity: "group:32", ...recipe }), format },
    kept: "unquantized",
  });
  await exportTo({ folder: out, checkpoint, variant, out }, { format });
  return out;
}

it("gpt_oss leaves with a layer's experts in one tensor, byte by byte the source's where nothing is quantized", async () => {
  const out = await exported("gpt_oss", { ignore: ["*"] });
  const [source, written] = [await readParts(join(GOLDEN, "gpt_oss")), await readParts(out)];
  expect(written.tensors).toEqual(source.tensors);
});

it("gpt_oss that came in MXFP4 leaves with the experts as transformers unpacks them", async () => {
  const { tensors } = await readParts(await exported("gpt_oss-mxfp4", { ignore: ["*"] }));
  expect(tensors["model.layers.0.mlp.experts.gate_up_proj"]).toMatchObject({
    dtype: "BF16",
    shape: [3, 32, 64],
  });
  expect(Object.keys(tensors).filter((name) => /_blocks|_scales/.test(name))).toEqual([]);
});

it("gpt_oss is quantized matrix by matrix: each expert's gate, up and down by their own rows", async () => {
  const source = await open(join(GOLDEN, "gpt_oss"));
  const written = await open(await exported("gpt_oss", { restore: [], ignore: ["*self_attn*"] }));
  const levels = async (name: string): Promise<number[]> => {
    const row = (await written.read(name)).subarray(0, 32);
    return [...new Set(row)];
  };
  for (const name of ["gate_proj", "up_proj", "down_proj"]) {
    const tensor = `model.layers.1.mlp.experts.4.${name}.weight`;
    // 32 weights share one scale, and nf4 has 16 levels
    expect((await levels(tensor)).length).toBeLessThanOrEqual(16);
    expect(new Set((await source.read(tensor)).subarray(0, 32)).size).toBeGreaterThan(16);
  }
  const bias = "model.layers.1.mlp.experts.4.up_proj.bias";
  expect(await written.read(bias)).toEqual(await source.read(bias));
});

it("mixtral as transformers 5 saves it opens under its own names, the router's included", async () => {
  const checkpoint = await open(join(GOLDEN, "mixtral-fused"));
  const router = "model.layers.0.block_sparse_moe.gate.weight";
  expect(checkpoint.tensors.get(router)?.shape).toEqual([4, 32]);
  expect(checkpoint.tensors.has("model.layers.1.block_sparse_moe.experts.3.w2.weight")).toBe(true);
  expect(checkpoint.inventory).toContainEqual({
    ...{ name: "model.layers.0.mlp.gate.weight", kind: "tensor", usedBy: "layer 0: experts" },
  });
  expect(() => architectureOf(checkpoint)).not.toThrow();
});

it("gpt_oss whose experts have another size is refused by their tensor", async () => {
  const folder = await temporaryFolder();
  await cp(join(GOLDEN, "gpt_oss"), folder, { recursive: true });
  const path = join(folder, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...config, intermediate_size: 48 }));
  const checkpoint = await open(folder);
  expect(() => architectureOf(checkpoint)).toThrow(
    'Tensor "model.layers.0.mlp.experts.gate_up_proj" has shape (5, 32, 64), but config.json implies (5, 32, 96).',
  );
});
