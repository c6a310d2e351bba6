import { describe, expect, it } from "vitest";
import { describeDecoder } from "#engine/architecture/readArchitecture.ts";
import { equationProblems } from "./hyperparameters.ts";

const SIZES = { hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 96 };

function codesOf(config: Record<string, unknown>): string[] {
  return equationProblems(describeDecoder({ ...SIZES, ...config })).map(({ code }) => code);
}

describe("a model's equations in llama.cpp", () => {
  it("are refused of qwen2 and phi3 whose heads are not as wide together as the hidden state: their files do not load", () => {
    for (const model_type of ["qwen2", "phi3"]) {
      expect(codesOf({ model_type, head_dim: 32 })).toEqual(["export/gguf-model"]);
      expect(codesOf({ model_type, head_dim: 16 })).toEqual([]);
    }
  });

  it("take heads of any width in llama and mistral", () => {
    for (const model_type of ["llama", "mistral"]) expect(codesOf({ model_type, head_dim: 32 })).toEqual([]);
  });
});
