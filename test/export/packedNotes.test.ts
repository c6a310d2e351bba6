import { textsOf } from "#shared/notes.ts";
import { describe, expect, it } from "vitest";
import { checkExport } from "#engine/export/checkExport.ts";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import { bench, modelOf } from "./exporting.ts";

const SIZES = { hidden: 32, intermediate: 64, heads: 4, keyValueHeads: 4, vocabulary: 64 };
const CT = { scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:16" } as const;
const GPTQ = { scheme: "gptq-int", bits: 4, symmetric: true, granularity: "group:16" } as const;
const AWQ = { scheme: "awq-int", bits: 4, granularity: "group:16" } as const;

describe("what a format's loaders do not take", () => {
  it.each<[ExportFormat, object, KeptModule, RegExp | null]>([
    ["compressed-tensors", { ...CT, symmetric: false }, "unquantized", /as much memory as the unquantized/],
    ["compressed-tensors", { ...CT, symmetric: false }, "8-bit", /one width and one group, so not this/],
    ["compressed-tensors", { ...CT, granularity: "group:32" }, "8-bit", null],
    ["gptq", GPTQ, "8-bit", /one width and group for all packed modules.*GPT-QModel does/],
    ["gptq", { ...GPTQ, symmetric: false }, "unquantized", /gptq_v2/],
    ["gptq", GPTQ, "unquantized", null],
    ["awq", AWQ, "unquantized", /AutoAWQ itself cannot leave a module of a single layer unquantized/],
  ])("%s: %j with its restored weight's module %s notes %s", async (format, settings, kept, note) => {
    const made = await bench({ ...SIZES, storage: "F16" });
    const recipe = parseRecipe({ ...settings, restore: [[1, 3, 7]] });
    const request = { recipe, format, out: made.out, overwrite: false, maxShardBytes: null, kept };
    const { notes } = await checkExport(modelOf(made.checkpoint), request);
    const said = textsOf(notes).filter(
      (each) => /transformers|GPT-QModel|AutoAWQ/.test(each) && !/^vLLM/.test(each),
    );
    expect(said).toHaveLength(note ? 1 : 0);
    if (note) expect(said[0]).toMatch(note);
  });
});

describe("what vLLM does not take", () => {
  it.each<[ExportFormat, object, RegExp | null]>([
    ["compressed-tensors", CT, /groups of 32, 64, 128, not of 16/],
    [
      "compressed-tensors",
      { ...CT, bits: 8, symmetric: false, granularity: "channel" },
      /asymmetric 8-bit weights on few GPUs only/,
    ],
    ["compressed-tensors", { ...CT, bits: 8, granularity: "channel" }, null],
    ["gptq", GPTQ, /groups of 32, 64, 128, not of 16/],
    ["awq", AWQ, /groups of 32, 64, 128, not of 16/],
    ["gptq", { ...GPTQ, granularity: "group:32" }, null],
    ["gptq", { ...GPTQ, bits: 3, granularity: "channel" }, /vLLM reads GPTQ of 4 and 8 bits only/],
    ["gptq", { ...GPTQ, symmetric: false, granularity: "channel" }, /gptq_v2.*vLLM and older loaders do not/],
  ])("%s: %j notes %s", async (format, settings, note) => {
    const made = await bench({ ...SIZES, storage: "F16" });
    const recipe = parseRecipe(settings);
    const request = { recipe, format, out: made.out, overwrite: false, maxShardBytes: null };
    const { notes } = await checkExport(modelOf(made.checkpoint), { ...request, kept: "unquantized" });
    const said = textsOf(notes).filter((each) => each.includes("vLLM"));
    expect(said).toHaveLength(note ? 1 : 0);
    if (note) expect(said[0]).toMatch(note);
  });
});
