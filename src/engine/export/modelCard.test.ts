import { describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import { modelCard, type CardFacts } from "./modelCard.ts";

const facts: CardFacts = {
  manifestVersion: 1,
  format: "safetensors",
  created: "2026-01-01T00:00:00.000Z",
  versions: { keystone: "0.1.0" },
  source: { name: "Tiny", fingerprint: "f00d", license: { license: "mit" }, files: [] },
  recipe: parseRecipe({ codec: "int", bits: 4, block: "group:64", restore: [[1, 137, 401]] }),
  recipeId: "abc",
  changes: [],
  notes: [],
  packing: "dequantized",
  quantizedTensors: 42,
  restored: {
    count: 1,
    weights: [
      { layer: 1, row: 137, column: 401, tensor: "model.layers.1.mlp.down_proj.weight", value: 1.900390625 },
    ],
  },
  bitsPerWeight: 4.3125,
  fileBitsPerWeight: 5.1,
  results: null,
  verified: null,
  weightBytes: 1_234_567,
};

describe("the model card of an export", () => {
  it("says the file is dequantized and as large as the source, beside its bits per weight", () => {
    const card = modelCard(facts);
    expect(card).toMatch(/\*\*dequantized\*\*/);
    expect(card).toContain("1,234,567 bytes");
    expect(card).toContain("| bits per weight (quantized linears, packed) | 4.3125 |");
    expect(card).toContain("Not verified");
  });

  it("names each restored weight by tensor, row, column and value", () => {
    expect(modelCard(facts)).toContain(
      "| model.layers.1.mlp.down\\_proj.weight | 1 | 137 | 401 | 1.900390625 |",
    );
  });

  it("holds a recipe that reads back as the same recipe", () => {
    const json = /```json\n([\s\S]*?)\n```/.exec(modelCard(facts))?.[1] ?? "";
    expect(parseRecipe(JSON.parse(json))).toEqual(facts.recipe);
  });

  it("lets no name of a folder become markup, YAML or a shell command", () => {
    const name = 'x"\n---\n<img src=x onerror=alert(1)> | $(rm -rf ~) `a`';
    const card = modelCard({ ...facts, source: { ...facts.source, name } });
    expect(card.slice(card.indexOf("\n---\n") + 5)).not.toMatch(/(?<!\\)<img/);
    expect(card.split("\n").filter((line) => line === "---")).toHaveLength(2);
    expect(card).toContain("export MODEL --recipe recipe.json --format safetensors --out OUT\n");
  });

  it("shows a result that is not finite as such", () => {
    const verified = { perplexity: null, judgedPerplexity: null, maxAbsDiff: 0, tokens: 10 };
    expect(modelCard({ ...facts, verified })).toContain("| this export, reopened | not finite |");
  });
});
