import { describe, expect, it } from "vitest";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { exportFormat } from "#shared/exporting.ts";
import type { ModelSummary } from "#shared/model.ts";
import { parsePlan } from "#shared/plan.ts";
import { recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { ownPlan } from "./ownPlan.ts";

const WINNER = recipe.parse({
  ...{ scheme: "affine", bits: 3, granularity: "flat:16384" },
  ...{ range: { method: "zscore", threshold: 5 }, restore: "super-weights" },
});

function problem(code: string): KeystoneErrorData {
  return new KeystoneError(code, "It cannot store it.", "Take another.").toData();
}

/** A model with one matrix of rows that long. */
function model(columns: number): Pick<ModelSummary, "tensors"> {
  const tensor = { name: "layers.0.down", linear: true, shape: [64, columns] };
  return { tensors: [tensor as unknown as ModelSummary["tensors"][number]] };
}

function labels(format: (typeof exportFormat.options)[number], from = WINNER, columns = 256): string[] {
  const plan = ownPlan(format, { recipe: from, problems: [problem("export/scheme")] }, model(columns));
  return parsePlan(plan).recipes.map(recipeLabel);
}

describe("a plan for a format that cannot store a variant", () => {
  it("takes the nearest bits of the format's own schemes, both forms, and keeps clip and restored weights", () => {
    expect(labels("compressed-tensors")).toEqual([
      "ct4 sym, group 128, z 5, restored",
      "ct4 sym, group 64, z 5, restored",
      "ct4, group 128, z 5, restored",
      "ct4, group 64, z 5, restored",
    ]);
    expect(labels("gguf")).toEqual(["q3_k, group 256, z 5, restored"]);
    expect(labels("gguf", { ...WINNER, bits: 5 })).toEqual([
      "q5_0, group 32, z 5, restored",
      "q5_1, group 32, z 5, restored",
      "q5_k, group 256, z 5, restored",
    ]);
    expect(labels("gguf", WINNER, 96)[0]).toBe("q4_0, group 32, z 5, restored");
    expect(labels("gguf", { ...WINNER, bits: 8 })).toEqual(["q8_0, group 32, z 5, restored"]);
    expect(labels("gptq")[0]).toMatch(/^gptq-int3 sym/);
  });

  it("keeps the variant's block where the scheme has it and it divides every row", () => {
    expect(labels("awq", { ...WINNER, granularity: "group:64" })).toEqual([
      "awq-int4, group 64, z 5, restored",
    ]);
    expect(labels("awq", { ...WINNER, granularity: "group:64" }, 96)).toEqual([
      "awq-int4, group 32, z 5, restored",
    ]);
  });

  it("keeps tensors at a half type where the format holds it, and leaves them alone elsewhere", () => {
    const half = { match: "*embed_tokens*", scheme: "f16" as const, bits: 16 };
    const problems = [problem("export/scheme")];
    const from = { ...WINNER, ignore: [], overrides: [half] };
    const overridesFor = (format: (typeof exportFormat.options)[number]) =>
      parsePlan(ownPlan(format, { recipe: from, problems }, model(256))).recipes[0]?.overrides;
    expect(overridesFor("gguf")).toEqual([half]);
    expect(overridesFor("onnx")).toEqual([{ match: "*embed_tokens*", skip: true }]);
  });

  it("keeps tensors that are left alone and clips of their own, and no other settings of single tensors", () => {
    const overrides = [
      { match: "*.0.mlp.down_proj.weight", skip: true },
      { match: "*q_proj*", bits: 8, range: { method: "zscore" as const, threshold: 3 } },
      { match: "*k_proj*", scheme: "nf4" as const, bits: 4 },
    ];
    const problems = [problem("export/scheme")];
    const plan = parsePlan(ownPlan("gptq", { recipe: { ...WINNER, overrides }, problems }, model(256)));
    expect(plan.recipes[0]?.overrides).toEqual([
      { match: "*.0.mlp.down_proj.weight", skip: true },
      { match: "*q_proj*", range: { method: "zscore", threshold: 3 } },
    ]);
  });

  it("names the format as the plan's target", () => {
    for (const format of exportFormat.options.filter((name) => name !== "safetensors")) {
      const plan = ownPlan(format, { recipe: WINNER, problems: [problem("export/scheme")] }, model(256));
      expect(parsePlan(plan).target).toBe(format);
    }
  });

  it("is not made where the model itself has no place, or no group divides its rows", () => {
    const problems = [problem("export/scheme"), problem("export/gguf-model")];
    expect(ownPlan("gguf", { recipe: WINNER, problems }, model(256))).toBeNull();
    expect(ownPlan("awq", { recipe: WINNER, problems: [problem("export/scheme")] }, model(20))).toBeNull();
    expect(ownPlan("safetensors", { recipe: WINNER, problems: [] }, model(256))).toBeNull();
  });
});
