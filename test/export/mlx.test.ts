import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { adapted, bench, exportTo } from "./exporting.ts";

const SIZES = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 4, vocabulary: 64 };
const MLX = { scheme: "mlx", bits: 4, granularity: "group:32" } as const;

it("mlx: config.json names the settings of most modules, and by path those of the others", async () => {
  const source = await bench(SIZES);
  const recipe = { ...MLX, overrides: [{ match: "*layers.0.mlp.down_proj*", bits: 6 }] };
  const { variant } = adapted(source.checkpoint, recipe, "mlx");
  await exportTo({ ...source, variant }, { format: "mlx" });
  const config = JSON.parse(await readFile(join(source.out, "config.json"), "utf8")) as Record<
    string,
    unknown
  >;
  expect(config["quantization"]).toEqual({
    group_size: 32,
    bits: 4,
    mode: "affine",
    "model.layers.0.mlp.down_proj": { group_size: 32, bits: 6, mode: "affine" },
  });
  expect(config["quantization_config"]).toEqual(config["quantization"]);
});

it("mlx: rows as blocks and integer schemes are refused with the remedy", () => {
  const problems = (recipe: object) => exporters.mlx.problems(parseRecipe(recipe));
  expect(problems({ ...MLX, scheme: "int", granularity: "channel" })).toMatchObject([
    { code: "export/packed-scheme", next: expect.stringContaining("scheme mlx") as unknown },
  ]);
  expect(problems({ scheme: "int", bits: 4, granularity: "group:32" })).toMatchObject([
    { code: "export/packed-scheme" },
  ]);
  expect(problems(MLX)).toEqual([]);
});
