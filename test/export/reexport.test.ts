import { textsOf, type Note } from "#shared/notes.ts";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { exportRequest, type ExportFormat } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { DEMO } from "../cli/demo.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { adapted, bench, exportTo, freely, modelOf, tree, type Bench } from "./exporting.ts";

const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;
const OWN: Readonly<Record<ExportFormat, object>> = {
  safetensors: { scheme: "q8_0", bits: 8, granularity: "group:32" },
  "compressed-tensors": { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:32" },
  gptq: { scheme: "gptq-int", bits: 4, granularity: "group:32" },
  awq: { scheme: "awq-int", bits: 4, granularity: "group:32" },
  mlx: { scheme: "mlx", bits: 4, granularity: "group:32" },
  gguf: { scheme: "q4_0", bits: 4, granularity: "group:32" },
  onnx: { scheme: "matmulnbits", bits: 4, granularity: "group:32" },
};
const FORMATS = Object.keys(OWN) as ExportFormat[];
/** Largest share by which the stated size may be off: packed shapes and padding are not part of it. */
const STATED_SIZE = 0.02;
const COST = /: ([\d,]+) bytes more, ([\d.]+) instead of ([\d.]+) bits/;
const DOWN_PROJECTION = "model.layers.1.mlp.down_proj.weight";
const unevaluated = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });

function sumOf<T>(of: readonly T[], size: (one: T) => number): number {
  return of.reduce((sum, one) => sum + size(one), 0);
}

interface Again extends Bench {
  readonly changes: readonly Note[];
}

/** A variant written as one format, opened, and a variant of that written as another, as nobody asked for shards. */
async function again(
  first: ExportFormat,
  second: ExportFormat,
  recipe: object = OWN[second],
): Promise<Again> {
  const source = await bench({ ...SHAPE, storage: "F16" });
  const kept = { ...OWN[first], restore: [[1, 3, 7]] };
  await exportTo({ ...source, ...adapted(source.checkpoint, kept, first) }, { format: first });
  const checkpoint = await openCheckpoint(source.out);
  onTestFinished(() => checkpoint.close());
  const folder = await temporaryFolder();
  const { variant, changes } = adapted(checkpoint, recipe, second);
  const whole = { folder, checkpoint, variant, changes, out: join(folder, "again") };
  await exportTo(whole, { format: second });
  return whole;
}

async function verified({ checkpoint, variant, out }: Again, format: ExportFormat) {
  const carried = exporters[format].tensors?.(modelOf(checkpoint));
  return verifyExport({ source: checkpoint, variant, carried, out, evaluate: unevaluated, control: freely });
}

describe("exporting what came in another format", () => {
  for (const [first, second] of [
    ["gguf", "compressed-tensors"],
    ["gguf", "gptq"],
    ["onnx", "awq"],
    ["gguf", "mlx"],
    ["onnx", "safetensors"],
  ] as const) {
    it(`writes model.safetensors where the source's files have other names: ${first} as ${second}`, async () => {
      const done = await again(first, second);
      expect(await tree(done.out)).toContain("model.safetensors");
      expect((await verified(done, second)).maxAbsDiff).toBe(0);
    });
  }

  it("computes a source of several types in one, says so, and writes what it judges", async () => {
    const done = await again("gguf", "compressed-tensors");
    expect(
      [...done.checkpoint.tensors.values()].filter(({ linear }) => linear).map(({ dtype }) => dtype),
    ).toContain("F16");
    expect(done.variant.plans.has(DOWN_PROJECTION)).toBe(true);
    expect(new Set([...done.variant.plans.values()].map(({ storage }) => storage))).toEqual(new Set(["F32"]));
    expect(textsOf(done.changes)).toEqual([
      "The source's matrices are of several types, and packed ones are computed in one: F16 and F32 become F32, in what is judged and in what is written.",
    ]);
    const reopened = await openCheckpoint(done.out);
    onTestFinished(() => reopened.close());
    expect(reopened.config).toMatchObject({ torch_dtype: "float32" });
  });

  for (const first of FORMATS) {
    for (const second of FORMATS) {
      it(`states the size that is written, and a kept module's cost: ${first} as ${second}`, async () => {
        const recipe = { ...OWN[second], restore: [[1, 3, 7]] };
        const { checkpoint, variant, changes, out } = await again(first, second, recipe);
        const reopened = await openCheckpoint(out);
        onTestFinished(() => reopened.close());
        const written = [...reopened.tensors.values()];
        const bits =
          (8 * sumOf(written, ({ bytes }) => bytes)) / sumOf(written, ({ parameters }) => parameters);
        expect(Math.abs(variant.fileBitsPerWeight / bits - 1)).toBeLessThan(STATED_SIZE);
        if (exportFormatOf(second).restored === "exact") return;
        const [, more, dear, cheap] = (COST.exec(changes[0].text) ?? []).map((text) =>
          Number(text.replaceAll(",", "")),
        );
        expect(more).toBeGreaterThan(0);
        expect(dear?.toFixed(3)).toBe(variant.fileBitsPerWeight.toFixed(3));
        const weights = sumOf([...checkpoint.tensors.values()], ({ parameters }) => parameters);
        expect((dear - cheap) * weights).toBeGreaterThan(8 * more * (1 - STATED_SIZE));
      });
    }
  }

  for (const [first, second] of [
    ["onnx", "gguf"],
    ["gptq", "gguf"],
    ["onnx", "safetensors"],
    ["gptq", "safetensors"],
    ["gptq", "onnx"],
    ["onnx", "compressed-tensors"],
  ] as const) {
    it(`leaves behind what says how the source was packed: ${first} as ${second}`, async () => {
      const { out } = await again(first, second);
      const files = await tree(out);
      const config = await readFile(join(out, "config.json"), "utf8").catch(() => "{}");
      const own = { gguf: 0, safetensors: 0, onnx: 1, "compressed-tensors": 0 }[second];
      expect(
        files.filter((name) => /^(quantize_config|quant_config|genai_config)\.json$/.test(name)),
      ).toHaveLength(own);
      expect(config).not.toMatch(/gptq/);
      expect(files.includes("config.json")).toBe(second !== "gguf");
    });
  }

  it("says where a GGUF file holds no vocabulary that could be written", async () => {
    const done = await again("gguf", "compressed-tensors");
    const source = {
      model: modelOf(done.checkpoint),
      variant: done.variant,
      fileSystem: nodeFileSystem,
      maxShardBytes: null,
    };
    for (const format of ["compressed-tensors", "awq", "safetensors"] as const)
      expect(textsOf(await exporters[format].notes(source))).toContain(
        "The source's GGUF file holds no vocabulary, so no tokenizer.json is written: put the model's own beside the weights.",
      );
    expect(await tree(done.out)).not.toContain("tokenizer.json");
  });

  it("is refused before anything is written where a GGUF file's tokenizer cannot be written", async () => {
    const demo = await openCheckpoint(DEMO.model);
    onTestFinished(() => demo.close());
    const folder = await temporaryFolder();
    const first = {
      folder,
      checkpoint: demo,
      ...adapted(demo, OWN.gguf, "gguf"),
      out: join(folder, "first"),
    };
    const { files } = await exportTo(first, { format: "gguf" });
    const [{ path: name }] = files.filter(({ path }) => path.endsWith(".gguf"));
    const bytes = await readFile(join(first.out, name), "latin1");
    const kind = /(tokenizer\.ggml\.model.{12})\w/s;
    expect(bytes).toMatch(kind);
    const changed = join(folder, name);
    await writeFile(changed, bytes.replace(kind, "$1z"), "latin1");
    const checkpoint = await openCheckpoint(changed);
    onTestFinished(() => checkpoint.close());
    const second = {
      folder,
      checkpoint,
      ...adapted(checkpoint, OWN.awq, "awq"),
      out: join(folder, "second"),
    };
    const request = exportRequest.parse({ recipe: parseRecipe(OWN.awq), format: "awq", out: second.out });
    const { problems } = await checkExport(modelOf(checkpoint), request);
    expect(problems).toMatchObject([{ code: "tokenizer/unsupported" }]);
    await expect(exportTo(second, { format: "awq" })).rejects.toMatchObject({
      code: "tokenizer/unsupported",
    });
    expect(await tree(folder)).not.toContain("second");
  });
});
