import { describe, expect, it } from "vitest";
import { describeDecoder, readArchitecture } from "./readArchitecture.ts";

type Tensors = Map<string, { shape: number[] }>;

const LLAMA = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 64,
};

/** The tensors that a config implies, by asking for them one refusal at a time. */
function tensorsFor(config: object): Tensors {
  const tensors: Tensors = new Map();
  for (;;) {
    const missing = refusal(config, tensors);
    if (missing?.code !== "architecture/missing-tensor") return tensors;
    const shape = (/\((.*)\)/.exec(String(missing.details["expected"])) ?? [])[1].split(",").map(Number);
    tensors.set(String(missing.details["tensor"]), { shape });
  }
}

function refusal(
  config: unknown,
  tensors: Tensors,
): { code: string; message: string; details: Record<string, unknown> } | null {
  try {
    readArchitecture(config, tensors);
    return null;
  } catch (error) {
    return error as { code: string; message: string; details: Record<string, unknown> };
  }
}

const read = (changes: object) => {
  const config = { ...LLAMA, ...changes };
  return readArchitecture(config, tensorsFor(config));
};

describe("readArchitecture", () => {
  it("fills in transformers' defaults of a llama config that says little", () => {
    const config = { ...LLAMA, num_key_value_heads: undefined, architectures: undefined };
    expect(readArchitecture(config, tensorsFor(config)).facts).toMatchObject({
      name: "LlamaForCausalLM",
      family: "llama",
      keyValueHeads: 4,
      headSize: 8,
      contextLength: 2048,
      norm: "RMSNorm, ε 0.000001",
      position: "rope, θ 10,000",
      activation: "silu",
      slidingWindow: null,
      tiedEmbeddings: false,
    });
  });

  it("reads an absent sliding_window of mistral as 4,096, and null as none", () => {
    expect(read({ model_type: "mistral" }).facts.slidingWindow).toBe(4096);
    expect(read({ model_type: "mistral", sliding_window: null }).facts.slidingWindow).toBeNull();
    expect(read({ sliding_window: 7 }).facts.slidingWindow).toBeNull();
  });

  it("takes the family from the class where model_type is absent", () => {
    expect(read({ model_type: undefined }).facts.family).toBe("llama");
  });

  it("takes the head from the embedding where they are tied", () => {
    expect(read({ tie_word_embeddings: true }).headTensor).toBe("model.embed_tokens.weight");
    expect(read({}).headTensor).toBe("lm_head.weight");
  });

  it("lists a layer's tensors with their biases, down_proj as (hidden, intermediate)", () => {
    const architecture = read({ attention_bias: true, mlp_bias: true, head_dim: 12 });
    const tensors = architecture.layerTensors(1);
    expect(
      tensors.filter(({ kind }) => kind === "linear").map(({ slot, shape }) => [slot, ...shape]),
    ).toEqual([
      ["q_proj", 48, 32],
      ["k_proj", 24, 32],
      ["v_proj", 24, 32],
      ["o_proj", 32, 48],
      ["gate_proj", 48, 32],
      ["up_proj", 48, 32],
      ["down_proj", 32, 48],
    ]);
    expect(tensors.filter(({ slot }) => slot.endsWith("_bias"))).toHaveLength(7);
    expect(architecture.downProjection(1)).toBe("model.layers.1.mlp.down_proj.weight");
  });

  it("describes the rope scaling in both spellings", () => {
    const llama3 = {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    };
    expect(
      read({ rope_theta: 500_000, rope_scaling: { rope_type: "llama3", ...llama3 } }).facts.position,
    ).toBe("rope, θ 500,000, llama3 × 8");
    expect(
      read({ rope_parameters: { rope_type: "llama3", rope_theta: 500_000, ...llama3 } }).facts.position,
    ).toBe("rope, θ 500,000, llama3 × 8");
    expect(read({ rope_scaling: { type: "linear", factor: 2 } }).facts.position).toBe(
      "rope, θ 10,000, linear × 2",
    );
  });

  it("knows Phi-3's first name of longrope, and its default factor of cos and sin", () => {
    const factors = { short_factor: [1, 1, 1, 1], long_factor: [2, 2, 2, 2] };
    const config = { ...LLAMA, model_type: "phi3", max_position_embeddings: 64 };
    const { layers } = describeDecoder({
      ...config,
      rope_scaling: { type: "su", ...factors },
      original_max_position_embeddings: 16,
    });
    const rope = layers[0].attention.body.rotary?.settings;
    expect(rope).toMatchObject({ kind: "longrope", originalContext: 16, longFactors: [2, 2, 2, 2] });
    expect(rope).toHaveProperty("attentionFactor", Math.sqrt(1 + Math.log(4) / Math.log(16)));
  });

  it("tells which of qwen2's layers have a window", () => {
    const config = { ...LLAMA, model_type: "qwen2", num_hidden_layers: 3, use_sliding_window: true };
    const windows = (changes: object): (number | null)[] =>
      describeDecoder({ ...config, ...changes }).layers.map(({ attention }) => attention.body.window);
    expect(windows({ max_window_layers: 2 })).toEqual([null, null, 4096]);
    expect(windows({ layer_types: ["sliding_attention", "full_attention", "sliding_attention"] })).toEqual([
      4096,
      null,
      4096,
    ]);
    expect(windows({ max_window_layers: 3 })).toEqual([null, null, null]);
    expect(windows({ use_sliding_window: false })).toEqual([null, null, null]);
  });
});

describe("readArchitecture refuses", () => {
  it.each([
    [
      { model_type: "mamba" },
      "architecture/unknown",
      /names the architecture "mamba", which Keystone cannot run; it runs llama, mistral/,
    ],
    [{ model_type: undefined, architectures: undefined }, "architecture/unknown", /names no architecture/],
    [
      { quantization_config: { quant_method: "eetq" } },
      "architecture/quantized",
      /packed by the method "eetq", which Keystone does not read; it reads compressed-tensors/,
    ],
    [
      { quantization_config: { quant_method: "gptq", bits: 4, checkpoint_format: "marlin" } },
      "architecture/quantized",
      /packed as GPTQ "marlin"/,
    ],
    [{ quantization_config: { quant_method: "gptq" } }, "architecture/quantized", /not valid \(bits/],
    [
      { rope_scaling: { rope_type: "spiral", factor: 2 } },
      "architecture/unknown-rope",
      /"spiral".*default, linear, dynamic, llama3, yarn/,
    ],
    [{ partial_rotary_factor: 0.5 }, "architecture/unknown-rope", /partial_rotary_factor 0.5/],
    [
      { rope_scaling: { rope_type: "longrope", short_factor: [1, 2], long_factor: [1, 2, 3, 4] } },
      "architecture/unknown-rope",
      /2 numbers in short_factor for 4 pairs/,
    ],
    [{ rope_scaling: { rope_type: "linear" } }, "architecture/bad-config", /factor/],
    [{ hidden_act: "mish" }, "architecture/bad-config", /hidden_act/],
    [{ num_hidden_layers: -1 }, "architecture/bad-config", /num_hidden_layers/],
    [{ hidden_size: "32" }, "architecture/bad-config", /hidden_size/],
    [
      { num_attention_heads: 5 },
      "architecture/bad-config",
      /hidden_size 32 is not a multiple of num_attention_heads 5/,
    ],
    [
      { num_key_value_heads: 3 },
      "architecture/bad-config",
      /num_attention_heads 4 is not a multiple of num_key_value_heads 3/,
    ],
    [{ head_dim: 7 }, "architecture/bad-config", /head size 7 is odd/],
    [
      { model_type: "qwen3", layer_types: ["full_attention"] },
      "architecture/bad-config",
      /layer_types has 1 entry and num_hidden_layers is 2, so that the kind of layer 1 is not known/,
    ],
    [
      { model_type: "gemma3_text", layer_types: ["full_attention", "full_attention", "sliding_attention"] },
      "architecture/bad-config",
      /layer_types has 3 entries and num_hidden_layers is 2, so that there is no layer 2/,
    ],
    [
      { model_type: "qwen3", layer_types: ["full_attention", "linear_attention"] },
      "architecture/bad-config",
      /layer_types.1: a layer of the kind "linear_attention", where the family has full_attention and sliding_attention/,
    ],
    [
      { model_type: "smollm3", no_rope_layers: [1] },
      "architecture/bad-config",
      /no_rope_layers has 1 entry and num_hidden_layers is 2, so that the use of positions of layer 1 is not known/,
    ],
  ])("%o", (changes, code, message) => {
    const error = refusal({ ...LLAMA, ...changes }, new Map());
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
  });

  it("a config that is no object", () => {
    expect(refusal([], new Map())?.code).toBe("architecture/unknown");
  });

  it("a missing tensor, by name and shape", () => {
    const tensors = tensorsFor(LLAMA);
    tensors.delete("model.layers.1.mlp.up_proj.weight");
    const error = refusal(LLAMA, tensors);
    expect(error?.code).toBe("architecture/missing-tensor");
    expect(error?.message).toMatch(/"model.layers.1.mlp.up_proj.weight".*\(48, 32\)/);
  });

  it("a tensor of another shape, by name, with the found and the expected one", () => {
    const tensors = tensorsFor(LLAMA).set("model.layers.0.self_attn.k_proj.weight", { shape: [32, 32] });
    const error = refusal(LLAMA, tensors);
    expect(error?.code).toBe("architecture/shape-mismatch");
    expect(error?.details).toEqual({
      tensor: "model.layers.0.self_attn.k_proj.weight",
      found: "(32, 32)",
      expected: "(16, 32)",
    });
  });
});
