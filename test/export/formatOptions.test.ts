import { readdir } from "node:fs/promises";
import { expect, it } from "vitest";
import { exportFormat, exportFormatOf } from "#shared/exportFormats/index.ts";
import { adapted, bench, exportTo } from "./exporting.ts";

const RECIPES = {
  safetensors: { scheme: "affine", bits: 4, granularity: "group:32" },
  "compressed-tensors": { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:32" },
  gptq: { scheme: "gptq-int", bits: 4, granularity: "group:32" },
  awq: { scheme: "awq-int", bits: 4, granularity: "group:32" },
  mlx: { scheme: "mlx", bits: 4, granularity: "group:32" },
  gguf: { scheme: "q4_0", bits: 4, granularity: "group:32" },
  onnx: { scheme: "matmulnbits", bits: 4, granularity: "group:32" },
} as const;

for (const format of exportFormat.options) {
  it(`${format} ${exportFormatOf(format).sharded ? "is cut into shards where that is asked for" : "is never cut into shards"}`, async () => {
    const source = await bench({ hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 });
    const { variant } = adapted(source.checkpoint, RECIPES[format], format);
    await exportTo({ ...source, variant }, { format, maxShardBytes: 10_000 });
    const shards = (await readdir(source.out)).filter((name) => /-of-\d{5}\.(safetensors|gguf)$/.test(name));
    expect(shards.length > 1).toBe(exportFormatOf(format).sharded);
  });
}
