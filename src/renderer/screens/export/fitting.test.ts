import { describe, expect, it } from "vitest";
import type { ExportFormat, FormatAnswer } from "#shared/exporting.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { nearestRecipe, preselected } from "./fitting.ts";
import { ownPlan } from "./ownPlan.ts";

const recipeOf = (fields: object): Recipe =>
  parseRecipe({ scheme: "affine", bits: 4, granularity: "flat:16384", ...fields });

function answer(format: ExportFormat, more: Partial<FormatAnswer> = {}): FormatAnswer {
  const size = format === "safetensors" ? "dequantized" : "packed";
  return {
    description: { format, size } as FormatAnswer["description"],
    ...{ problems: [], changes: [], bitsPerWeight: 4, fileBitsPerWeight: 5, weightBytes: 100, bytes: 120 },
    ...more,
  };
}
const REFUSED = { problems: [{ code: "export/scheme", message: "No.", next: "Other.", details: {} }] };

describe("the format to begin with", () => {
  it("is the one whose own scheme the variant has", () => {
    const answers = [answer("safetensors"), answer("onnx", { weightBytes: 1 }), answer("gguf")];
    expect(preselected(answers, recipeOf({ scheme: "q4_0", granularity: "group:32" }))).toBe("gguf");
  });

  it("is the packed one that changes least, then the smallest; never the dequantized copy of few bits", () => {
    const onnx = answer("onnx", {
      changes: [{ code: "made-up", text: "One tensor stays." }],
      weightBytes: 1,
    });
    const answers = [answer("safetensors"), onnx, answer("gptq", { weightBytes: 90 }), answer("awq")];
    expect(preselected(answers, recipeOf({ scheme: "int", granularity: "group:32" }))).toBe("gptq");
    expect(preselected([answer("safetensors"), answer("gguf", REFUSED)], recipeOf({}))).toBeNull();
  });
});

describe("the nearest recipe of a format", () => {
  const model = { tensors: [] };
  const nearest = (format: ExportFormat, asked: Recipe, bits: number | null): string | null => {
    const plan = ownPlan(format, { recipe: asked, ...REFUSED }, model);
    const found = plan && nearestRecipe(plan, asked, bits);
    return found && recipeLabel(found);
  };

  it("is that of the nearest size", () => {
    expect(nearest("gguf", recipeOf({}), 4.002)).toBe("iq4_xs, group 256");
    expect(nearest("gguf", recipeOf({ granularity: "group:32" }), 5)).toBe("q4_1, group 32");
    expect(nearest("gguf", recipeOf({ bits: 3 }), 3.1)).toBe("q3_k, group 256");
  });

  it("keeps clip and restored weights", () => {
    const asked = recipeOf({ range: { method: "zscore", threshold: 9 }, restore: [[0, 1, 2]] });
    expect(nearest("gguf", asked, 4.1)).toBe("iq4_xs, group 256, z 9, restored");
  });
});
