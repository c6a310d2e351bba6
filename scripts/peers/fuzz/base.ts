import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tensorOf, type Draft, type DraftTensor, type Meaning, type Storage } from "./draft.ts";
import type { Random } from "./random.ts";

const TOKENIZER = join(import.meta.dirname, "..", "..", "..", "test", "golden", "tokenizer", "byte-level");
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"];
const CLASSES = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  phi3: "Phi3ForCausalLM",
};
const CONTEXT = 256;
/** Large enough that every part of the model moves its predictions. */
const DEVIATION = { matrix: 0.2, embedding: 0.5, norm: 0.2, bias: 0.3 };

/** Sizes of one model. Every width is a multiple of 32, so that GGUF's blocks fit. */
interface Sizes {
  readonly hidden: number;
  readonly intermediate: number;
  readonly vocabulary: number;
}

/** A model as its publisher would save it: one of the families, of random size, settings and weights. */
export function baseDraft(random: Random): Draft {
  const family = random.pick(["llama", "llama", "mistral", "qwen2", "phi3"] as const);
  const heads = random.pick([1, 2, 4]);
  const sizes = {
    hidden: random.pick([32, 64]),
    intermediate: random.pick([32, 64, 96]),
    vocabulary: tokens() + random.pick([0, 0, 2, 2, 24]),
  };
  const biases = family === "llama" && random.chance(0.25);
  const tied = random.chance(0.4);
  const storage = random.pick(["F32", "F32", "F32", "F16", "BF16"] as const);
  const facts = {
    family,
    layers: 1 + random.below(3),
    heads,
    keyValueHeads: random.pick([1, 2, 4].filter((count) => heads % count === 0)),
    headSize: family === "phi3" || random.chance(0.7) ? sizes.hidden / heads : 16,
    epsilon: random.pick([1e-5, 1e-6]),
    theta: random.pick([10_000, 500_000, 1_000_000]),
    scaling: family === "llama" ? random.pick([null, null, ...SCALINGS]) : null,
    window: family === "mistral" || family === "phi3" ? random.pick([null, null, 8, 24]) : null,
    activation: "silu",
  };
  const tensors = tensorsOf({ facts, sizes, biases, tied, storage }, random);
  return {
    meaning: { ...facts, tensors: new Map(tensors) },
    broken: false,
    config: configOf(facts, sizes, { biases, tied, storage }),
    textChanges: [],
    tensors,
    storage,
    weightFiles: new Map(),
    files: new Map(TOKENIZER_FILES.map((name) => [name, readFileSync(join(TOKENIZER, name))])),
    linked: false,
  };
}

const SCALINGS = [
  { type: "linear", factor: 4 },
  {
    ...{ type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
    original_max_position_embeddings: 16,
  },
];

type Facts = Omit<Meaning, "tensors">;
interface Kind {
  readonly biases: boolean;
  readonly tied: boolean;
  readonly storage: Storage;
}

function configOf(facts: Facts, sizes: Sizes, { biases, tied, storage }: Kind): Record<string, unknown> {
  const { family, scaling } = facts;
  const { type, ...settings } = scaling ?? {};
  return {
    architectures: [CLASSES[family]],
    model_type: family,
    ...{ hidden_size: sizes.hidden, intermediate_size: sizes.intermediate, vocab_size: sizes.vocabulary },
    num_hidden_layers: facts.layers,
    num_attention_heads: facts.heads,
    num_key_value_heads: facts.keyValueHeads,
    ...(family === "phi3" ? {} : { head_dim: facts.headSize }),
    hidden_act: facts.activation,
    max_position_embeddings: CONTEXT,
    rms_norm_eps: facts.epsilon,
    rope_theta: facts.theta,
    rope_scaling: scaling ? { rope_type: type, ...settings } : null,
    tie_word_embeddings: tied,
    ...(family === "llama" ? { attention_bias: biases, mlp_bias: biases } : {}),
    ...(family === "mistral" || family === "phi3" ? { sliding_window: facts.window } : {}),
    ...(family === "phi3" ? { original_max_position_embeddings: CONTEXT, pad_token_id: 0 } : {}),
    ...{ bos_token_id: 1, eos_token_id: 2 },
    torch_dtype: { F32: "float32", F16: "float16", BF16: "bfloat16" }[storage],
  };
}

function tensorsOf(
  { facts, sizes, biases, tied, storage }: { facts: Facts; sizes: Sizes } & Kind,
  random: Random,
): Map<string, DraftTensor> {
  const { hidden, intermediate, vocabulary } = sizes;
  const [queries, keys] = [facts.heads * facts.headSize, facts.keyValueHeads * facts.headSize];
  const tensors = new Map<string, DraftTensor>();
  const add = (name: string, shape: readonly number[], deviation: number, mean = 0): void => {
    const count = shape.reduce((product, size) => product * size, 1);
    tensors.set(name, tensorOf(storage, shape, random.normals(count, deviation, mean)));
  };
  const linear = (name: string, out: number, input: number, bias: boolean): void => {
    add(`${name}.weight`, [out, input], DEVIATION.matrix);
    if (bias) add(`${name}.bias`, [out], DEVIATION.bias);
  };
  const fused = facts.family === "phi3";
  add("model.embed_tokens.weight", [vocabulary, hidden], DEVIATION.embedding);
  for (let layer = 0; layer < facts.layers; layer++) {
    const [attention, mlp] = [`model.layers.${layer}.self_attn`, `model.layers.${layer}.mlp`];
    const attentionBias = biases || facts.family === "qwen2";
    if (fused) linear(`${attention}.qkv_proj`, queries + 2 * keys, hidden, false);
    else
      for (const [part, out] of [
        ["q", queries],
        ["k", keys],
        ["v", keys],
      ] as const)
        linear(`${attention}.${part}_proj`, out, hidden, attentionBias);
    linear(`${attention}.o_proj`, hidden, queries, biases);
    if (fused) linear(`${mlp}.gate_up_proj`, 2 * intermediate, hidden, false);
    else for (const part of ["gate", "up"]) linear(`${mlp}.${part}_proj`, intermediate, hidden, biases);
    linear(`${mlp}.down_proj`, hidden, intermediate, biases);
    for (const norm of ["input", "post_attention"])
      add(`model.layers.${layer}.${norm}_layernorm.weight`, [hidden], DEVIATION.norm, 1);
  }
  add("model.norm.weight", [hidden], DEVIATION.norm, 1);
  if (!tied) add("lm_head.weight", [vocabulary, hidden], DEVIATION.matrix);
  return tensors;
}

/** Ids of the tokenizer: one more than its last. */
function tokens(): number {
  const { model, added_tokens } = JSON.parse(readFileSync(join(TOKENIZER, "tokenizer.json"), "utf8")) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  return 1 + Math.max(...Object.values(model.vocab), ...added_tokens.map(({ id }) => id));
}
