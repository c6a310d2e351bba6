import { describe, expect, it } from "vitest";
import { familyNames } from "#engine/architecture/readArchitecture.ts";
import { splitRows } from "./splitRows.ts";

const SIZES = { hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2 };
const NAME = "model.layers.0.self_attn.qkv_proj.weight";

describe("a matrix of queries, keys and values", () => {
  it("stays one where the family has it so, whether model_type or the class alone names it", () => {
    for (const named of [{ model_type: "phi3" }, { architectures: ["Phi3ForCausalLM"] }]) {
      const config = { ...SIZES, ...named };
      expect(splitRows(NAME, 128, config, familyNames(config))).toEqual([
        { name: NAME, first: 0, rows: 128 },
      ]);
    }
  });

  it("is taken apart by the heads where an exporter put three below one another", () => {
    const config = { ...SIZES, model_type: "llama" };
    const parts = splitRows(NAME, 128, config, familyNames(config));
    expect(parts.map(({ first, rows }) => [first, rows])).toEqual([
      [0, 64],
      [64, 32],
      [96, 32],
    ]);
  });
});
