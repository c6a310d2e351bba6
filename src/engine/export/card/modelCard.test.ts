import { describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import type { RuntimeScore } from "#shared/exporting.ts";
import { modelCard, type CardFacts } from "./modelCard.ts";

const RECIPE = parseRecipe({ scheme: "int", bits: 4, granularity: "group:64", restore: [[1, 137, 401]] });
const WEIGHT = {
  layer: 1,
  row: 137,
  column: 401,
  tensor: "model.layers.1.mlp.down_proj.weight",
  value: 1.900390625,
};
const facts: CardFacts = {
  manifestVersion: 1,
  format: "safetensors",
  created: "2026-01-01T00:00:00.000Z",
  versions: { keystone: "0.1.0" },
  source: { name: "Tiny", fingerprint: "f00d", license: { license: "mit" }, files: [] },
  asked: {
    recipe: RECIPE,
    recipeId: "abc",
    kept: "unquantized",
    embedding: "unquantized",
    maxShardBytes: null,
  },
  recipe: RECIPE,
  recipeId: "abc",
  changes: [],
  notes: [],
  packing: "dequantized",
  quantizedTensors: 42,
  quantizedBits: 4,
  restored: { count: 1, weights: [WEIGHT], held: [] },
  bitsPerWeight: 4.3125,
  fileBitsPerWeight: 5.1,
  results: null,
  verified: null,
  weightBytes: 1_234_567,
};

describe("the model card of an export", () => {
  it("says the file is dequantized, and what it takes beside its bits per weight", () => {
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

  it.each([
    ["unquantized", /the module that holds it stays unquantized as a whole, so this weight is exact/],
    ["8-bit", /gets 8 bits as a whole, so this weight is near its value, not exact/],
  ] as const)("says what was asked for where modules are kept %s", (kept, sentence) => {
    const asked = { ...facts.asked, recipe: parseRecipe({ ...RECIPE, restore: "super-weights" }), kept };
    const recipe = parseRecipe({ ...RECIPE, restore: "none" });
    const restored = { count: 0, weights: [], held: [WEIGHT] };
    const format = "gptq";
    const card = modelCard({ ...facts, format, asked, recipe, recipeId: "def", restored, packing: "packed" });
    expect(card).toContain('restores 1 weight, named as "super-weights". GPTQ cannot store');
    expect(card).toMatch(sentence);
    expect(card).toContain("| model.layers.1.mlp.down\\_proj.weight | 1 | 137 | 401 | 1.900390625 |");
    expect(card).toContain("| recipe id | def |");
    expect(card).toContain("| asked for: recipe id | abc |");
    expect(card).toContain('"restore": "super-weights"');
    expect(card).toContain(`--kept ${kept}\n`);
  });

  it("says that super weights were asked for and none was there to restore", () => {
    const asked = { ...facts.asked, recipe: parseRecipe({ ...RECIPE, restore: "super-weights" }) };
    const card = modelCard({ ...facts, asked, restored: { count: 0, weights: [], held: [] } });
    expect(card).toContain('None: restoring "super-weights" was asked for');
  });

  it("makes the files again with every option that was given, and the text by its name and hash", () => {
    const results = {
      text: { name: "eval.jsonl", sha256: "cafe" },
      judge: { windows: "rolling", context: 128, stride: 64, tokens: 1000 },
      convention: {
        windows: "rolling",
        ...{ context: 128, stride: 64, bos: true, documents: 1, windowCount: 8 },
        text: "Eight windows.",
      },
      original: null,
      variant: {
        ...{ nll: 1, perplexity: Math.E, wordPerplexity: null, bytePerplexity: null },
        ...{ bitsPerByte: null, tokens: 1000, nllStandardError: null },
      },
      sqnrDb: 20,
    } as const;
    const card = modelCard({ ...facts, asked: { ...facts.asked, maxShardBytes: 500_000 }, results });
    expect(card).toContain(
      "--out Tiny-int4 --max-shard 500000 --text eval.jsonl --context 128 --stride 64 --tokens 1000 --windows rolling --verify\n",
    );
    expect(card).toContain("Text: eval.jsonl, SHA-256 `cafe`. Eight windows. SQNR");
  });

  it.each([
    ["safetensors", "transformers"],
    ["gptq", "transformers"],
    ["gguf", "gguf"],
    ["onnx", "onnxruntime"],
  ] as const)("names the Hub's library of %s: %s", (format, library) => {
    expect(modelCard({ ...facts, format })).toContain(`\nlibrary_name: ${library}\n`);
  });

  it("claims no width and no scheme where nothing is quantized", () => {
    const nothing = { quantizedTensors: 0, quantizedBits: null, bitsPerWeight: 0 };
    const card = modelCard({ ...facts, ...nothing, format: "gguf", packing: "packed" });
    expect(card).toContain("# Tiny, nothing quantized");
    expect(card).toContain("with no tensor quantized");
    expect(card).not.toMatch(/-bit|base_model_relation|\| scheme|quantized weight|\| bits \|/);
    expect(modelCard(facts)).toMatch(/- "4-bit"/);
  });

  const verified = { perplexity: null, judgedPerplexity: null, maxAbsDiff: 0, tokens: 10, runtime: null };
  it("shows a result that is not finite as such", () => {
    expect(modelCard({ ...facts, verified })).toContain("| this export, reopened | not finite |");
  });

  it("is called verified only where judged and written numbers agree", () => {
    const cardOf = (perplexity: number | null, judgedPerplexity: number | null) =>
      modelCard({ ...facts, verified: { ...verified, perplexity, judgedPerplexity } });
    expect(cardOf(16.25, 16.25)).toContain("Verified: every tensor was read back");
    for (const card of [cardOf(339.26, 340.67), cardOf(null, null), cardOf(null, 16)]) {
      expect(card).toContain("Not verified: ");
      expect(card).not.toContain("Verified: ");
    }
  });

  it("says what the format's own runtime gives, or why it was not asked, or nothing of it", () => {
    const cardWith = (runtime: RuntimeScore | null) =>
      modelCard({ ...facts, verified: { ...verified, runtime } });
    const ran = { name: "onnxruntime 1.2.3", perplexity: 8.25, notRun: null };
    expect(cardWith(ran)).toMatch(/\| this export, in onnxruntime 1\.2\.3 \| 8\.25 .*\| 10 \|/);
    const notRun = cardWith({ ...ran, perplexity: null, notRun: "The graph was not run: too large." });
    expect(notRun).toContain("The graph was not run: too large.");
    expect(notRun).not.toContain("this export, in");
    expect(cardWith(null)).not.toContain("onnxruntime");
  });
});
