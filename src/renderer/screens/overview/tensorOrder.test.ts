import { describe, expect, it } from "vitest";
import type { TensorInfo } from "#shared/model.ts";
import { expectSum, float64Bound } from "../../../../test/support/rounding.ts";
import { inFlowOrder, logBars, matching, parametersByRole } from "./tensorOrder.ts";

function tensor(name: string, role: TensorInfo["role"], layer: number | null, shape = [4, 8]): TensorInfo {
  const parameters = shape.reduce((product, size) => product * size, 1);
  return {
    name,
    shape,
    dtype: "F16",
    parameters,
    bytes: parameters * 2,
    file: "f",
    begin: 0,
    end: parameters * 2,
    role,
    layer,
    linear: layer !== null,
  };
}
const tensors = [
  tensor("lm_head.weight", "head", null),
  tensor("model.layers.10.mlp.down_proj.weight", "mlp", 10),
  tensor("model.layers.2.mlp.down_proj.weight", "mlp", 2),
  tensor("model.layers.2.self_attn.q_proj.weight", "attention", 2, [8, 8]),
  tensor("model.norm.weight", "norm", null, [8]),
  tensor("model.embed_tokens.weight", "embedding", null),
];

describe("the tensor table", () => {
  it("lists tensors as data meets them", () => {
    expect(inFlowOrder(tensors).map(({ name }) => name.replace(/^model\.|\.weight$/g, ""))).toEqual([
      "embed_tokens",
      "layers.2.self_attn.q_proj",
      "layers.2.mlp.down_proj",
      "layers.10.mlp.down_proj",
      "norm",
      "lm_head",
    ]);
  });
  it("finds tensors by name, shape, dtype and role", () => {
    expect(matching(tensors, "down layers.2").map(({ layer }) => layer)).toEqual([2]);
    expect(matching(tensors, "8x8").map(({ role }) => role)).toEqual(["attention"]);
    expect(matching(tensors, "f16 norm").map(({ name }) => name)).toEqual(["model.norm.weight"]);
    expect(matching(tensors, " ")).toBe(tensors);
  });
  it("finds packed tensors by what the file holds, not by what they are dequantized to", () => {
    const packed = tensors.map((tensor) =>
      tensor.role === "mlp"
        ? { ...tensor, dtype: "F32", packed: { scheme: "Q4_1", bitsPerWeight: 5 } }
        : tensor,
    );
    expect(matching(packed, "q4_1").map(({ role }) => role)).toEqual(["mlp", "mlp"]);
    expect(matching(packed, "f32")).toEqual([]);
  });
  it("divides all parameters among the roles", () => {
    const shares = parametersByRole(tensors, false);
    expect(shares.map(({ name }) => name)).toEqual(["MLP", "Attention", "Embedding", "Head", "Norm"]);
    expect(shares.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(64 + 64 + 32 + 32 + 8);
    expectSum(
      shares.reduce((sum, { fraction }) => sum + fraction, 0),
      1,
      float64Bound({ magnitude: 1, terms: shares.length }),
    );
  });
  it("draws a single value of a bin, however many the others hold", () => {
    const bars = logBars([1, 0, 1_000_000, 0], 4);
    expect(bars[0]).toBeGreaterThan(0.02);
    expect(bars[1]).toBe(0);
    expect(bars[2]).toBe(1);
    expect(logBars(new Array<number>(64).fill(1), 20).length).toBeLessThanOrEqual(20);
  });
});
