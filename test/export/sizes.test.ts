import { textsOf } from "#shared/notes.ts";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { plansOf } from "#engine/formats/write/keepModules.ts";
import { sizeNotes } from "#engine/export/variant/sizeNotes.ts";
import { variantFileBits } from "#engine/export/variant/variantSize.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import type { SyntheticOptions } from "../support/syntheticCheckpoint.ts";
import { adapted, bench, exportTo, freely, modelOf, type Bench } from "./exporting.ts";

const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;
const Q4_0 = { scheme: "q4_0", bits: 4, granularity: "group:32" } as const;
const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

const source = (options: SyntheticOptions = {}): Promise<Bench> => bench({ ...SHAPE, ...options });

function held(
  checkpoint: Checkpoint,
  recipe: unknown,
  embedding: KeptModule = "unquantized",
  format: ExportFormat = "gguf",
) {
  return adaptVariant(modelOf(checkpoint), {
    ...{ recipe: parseRecipe(recipe), format, embedding },
    kept: "unquantized",
  });
}

/** The synthetic model as a GGUF file, opened. */
async function asGguf(recipe: unknown, options: SyntheticOptions = {}): Promise<Checkpoint> {
  const made = await source(options);
  const { variant } = adapted(made.checkpoint, recipe, "gguf");
  await exportTo({ ...made, variant }, { format: "gguf" });
  const checkpoint = await openCheckpoint(made.out);
  onTestFinished(() => checkpoint.close());
  return checkpoint;
}

const bytesOf = (checkpoint: Checkpoint): number =>
  [...checkpoint.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0);

describe("a variant has one size", () => {
  it.each<[ExportFormat, object]>([
    ["gguf", Q4_0],
    ["gguf", { scheme: "q8_0", bits: 8, granularity: "group:32", ignore: [] }],
    ["gguf", { ...Q4_0, overrides: [{ match: "*down_proj*", scheme: "f16", bits: 16 }] }],
    [
      "compressed-tensors",
      { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:32" },
    ],
    ["gptq", { scheme: "gptq-int", bits: 4, granularity: "group:32" }],
    ["awq", { scheme: "awq-int", bits: 4, granularity: "group:32" }],
    ["onnx", { scheme: "matmulnbits", bits: 4, granularity: "group:32" }],
  ])("in its run, in comparisons and in its export as %s: %j", async (format, settings) => {
    for (const storage of ["F32", "F16"] as const) {
      const { checkpoint } = await source({ storage });
      const recipe = parseRecipe(settings);
      const model = modelOf(checkpoint);
      const inRun = variantFileBits(model, recipe, plansOf(recipe, model));
      expect(held(checkpoint, settings, "unquantized", format).variant.fileBitsPerWeight).toBe(inRun);
    }
  });

  it("which is that of the tensors in the file", async () => {
    const made = await source({ storage: "F16" });
    const { variant } = adapted(made.checkpoint, Q4_0, "gguf");
    await exportTo({ ...made, variant }, { format: "gguf" });
    const reopened = await openCheckpoint(made.out);
    onTestFinished(() => reopened.close());
    const weights = [...reopened.tensors.values()].reduce((sum, { parameters }) => sum + parameters, 0);
    expect((8 * bytesOf(reopened)) / weights).toBeCloseTo(variant.fileBitsPerWeight, 12);
  });

  it("and a scheme that no format has counts its codes, and everything else as the source holds it", async () => {
    const { checkpoint } = await source({ storage: "F16" });
    const recipe = parseRecipe({ scheme: "nf4", bits: 4, granularity: "group:32" });
    const model = modelOf(checkpoint);
    const plans = plansOf(recipe, model);
    const quantized = [...plans.values()].reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    const all = [...checkpoint.tensors.values()].reduce((sum, { parameters }) => sum + parameters, 0);
    const expected = (4.5 * quantized + 16 * (all - quantized)) / all;
    expect(variantFileBits(model, recipe, plans)).toBeCloseTo(expected, 12);
  });
});

describe("embedding and head in 8 bits", () => {
  it("are an override of the recipe, so that they are judged as they are written", async () => {
    const made = await source({ storage: "F32" });
    const { variant, changes, asked } = held(made.checkpoint, Q4_0, "8-bit");
    for (const name of [EMBEDDING, HEAD])
      expect(variant.plans.get(name)).toMatchObject({ scheme: "q8_0", bits: 8 });
    expect(asked).toMatchObject({ embedding: "8-bit", recipe: { overrides: [] } });
    expect(textsOf(changes)).toEqual([
      `${EMBEDDING} gets 8 bits: 2,720 bytes instead of 10,240 bytes.`,
      `${HEAD} gets 8 bits: 2,720 bytes instead of 10,240 bytes.`,
    ]);
    await exportTo({ ...made, variant }, { format: "gguf" });
    const verified = await verifyExport({
      ...{ source: made.checkpoint, variant, out: made.out, control: freely },
      evaluate: () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 }),
    });
    expect(verified.maxAbsDiff).toBe(0);
    const reopened = await openCheckpoint(made.out);
    onTestFinished(() => reopened.close());
    expect(reopened.tensors.get(EMBEDDING)?.packed?.scheme).toBe("Q8_0");
    const [file = ""] = (await readdir(made.out)).filter((name) => name.endsWith(".gguf"));
    expect((await stat(join(made.out, file))).size).toBeGreaterThan(bytesOf(reopened));
  });

  it("leave the other tensors that a pattern of keep names as they are", async () => {
    const { checkpoint } = await source({ tied: true });
    const { variant } = held(checkpoint, { ...Q4_0, ignore: ["*embed*", "*mlp*"] }, "8-bit");
    expect(variant.plans.get(EMBEDDING)?.scheme).toBe("q8_0");
    expect([...variant.plans.keys()].filter((name) => name.includes("mlp"))).toEqual([]);
    const all = held(checkpoint, { ...Q4_0, ignore: ["*"] }, "8-bit");
    expect([...all.variant.plans.keys()]).toEqual([EMBEDDING]);
  });

  it("change nothing where the recipe quantizes them, or the source holds them in fewer bytes", async () => {
    const { checkpoint } = await source();
    const own = held(checkpoint, { ...Q4_0, ignore: [] }, "8-bit");
    expect(own.changes).toEqual([]);
    expect(own.variant.plans.get(EMBEDDING)?.scheme).toBe("q4_0");
    const blocks = held(await asGguf({ ...Q4_0, ignore: [] }), Q4_0, "8-bit");
    expect(blocks.changes).toEqual([]);
    expect(blocks.variant.plans.has(EMBEDDING)).toBe(false);
  });

  it("stay as they are where 32 does not divide their rows, and that is said", async () => {
    const { checkpoint } = await source({ hidden: 48, intermediate: 64, heads: 2, keyValueHeads: 2 });
    const recipe = {
      ...Q4_0,
      overrides: [
        { match: "*down_proj*", bits: 4 },
        { match: "*", skip: true },
      ],
    };
    const { changes } = held(checkpoint, recipe, "8-bit");
    expect(changes[0]?.text).toBe(
      `${EMBEDDING} stays unquantized: blocks of 32 do not divide its 48 columns.`,
    );
  });

  it("are refused by a format that cannot store them", async () => {
    const { checkpoint } = await source();
    expect(() =>
      held(checkpoint, { scheme: "awq-int", bits: 4, granularity: "group:32" }, "8-bit", "awq"),
    ).toThrow(/cannot store an embedding of 8 bits/);
  });
});

describe("an export that is larger than its source", () => {
  const notes = (checkpoint: Checkpoint, recipe: unknown, format: ExportFormat): string[] => {
    const model = modelOf(checkpoint);
    const { variant } = held(checkpoint, recipe, "unquantized", format);
    return textsOf(sizeNotes(format, { model, variant }));
  };

  it("says which tensors grow, and that a gguf export would copy the source's blocks", async () => {
    const ends = ["*embed*", "lm_head*"].map((match) => ({ match, scheme: "q8_0", bits: 8 }));
    const checkpoint = await asGguf({ ...Q4_0, ignore: [], overrides: ends });
    const recipe = { scheme: "awq-int", bits: 4, granularity: "group:32" };
    expect(notes(checkpoint, recipe, "awq")).toEqual([
      expect.stringMatching(
        /^The weights take .* kB, more than the source's .* kB: 2 tensors \(first "model.embed_tokens.weight"\) take 20 kB unquantized, 5 kB in the source; 14 tensors .* quantized/,
      ),
      expect.stringContaining("A gguf export copies the source's own blocks"),
    ]);
    // the same source leaves as gguf no larger, so there is nothing to explain
    expect(notes(checkpoint, Q4_0, "gguf")).toEqual([]);
  });

  it("says that a source of few bits is quantized to more", async () => {
    const checkpoint = await asGguf({ ...Q4_0, ignore: [] });
    expect(notes(checkpoint, { scheme: "q8_0", bits: 8, granularity: "group:32" }, "gguf")).toEqual([
      expect.stringMatching(
        /more than the source's .*: 14 tensors \(first .*\) take .* quantized, .* in the source\.$/,
      ),
    ]);
  });

  it("is as large as its weights dequantized, and says so", async () => {
    const checkpoint = await asGguf({ ...Q4_0, ignore: [] });
    expect(notes(checkpoint, Q4_0, "safetensors")[0]).toMatch(/more than the source's .* dequantized,/);
    expect(exportFormatOf("safetensors").size).toBe("dequantized");
  });

  it("offers 8 bits for embedding and head, where that gains something", async () => {
    const { checkpoint } = await source({ storage: "F16" });
    expect(notes(checkpoint, Q4_0, "gguf")).toEqual([
      "Embedding and head take 5 kB less in 8 bits, and the variant is judged so (--embedding 8-bit).",
    ]);
    const tied = await source({ storage: "F16", tied: true });
    expect(notes(tied.checkpoint, Q4_0, "gguf")).toEqual([
      "The embedding, which is the head too, takes 2 kB less in 8 bits, and the variant is judged so (--embedding 8-bit).",
    ]);
    expect(notes(checkpoint, { ...Q4_0, ignore: [] }, "gguf")).toEqual([]);
  });
});

it("lists the modules that stay as they are as a sentence does", async () => {
  const { checkpoint } = await source({ storage: "F16", layers: 3 });
  const restore = [0, 1, 2].map((layer) => [layer, 3, 4]);
  const { changes } = held(checkpoint, { ...Q4_0, restore });
  const [first, second, third] = [0, 1, 2].map((layer) => `model.layers.${layer}.mlp.down_proj.weight`);
  expect(changes[0]?.text).toContain(
    `The modules ${first}, ${second} and ${third} stay unquantized, because`,
  );
});
