import type { MetadataReader } from "../layout/metadata.ts";
import { ROPE_TENSORS } from "../layout/tensorNames.ts";

/** What a config is made of beside the metadata. */
export interface ConfigFacts {
  readonly architecture: string;
  /** By Hugging Face name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Contents of the small tensors that hold divisors of rotary frequencies, by the file's names. */
  readonly ropeFactors: ReadonlyMap<string, readonly number[]>;
}

const CLASSES: Readonly<Record<string, string>> = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  phi3: "Phi3ForCausalLM",
};

/**
 * The config.json that a file's metadata amounts to, in the fields that the architectures here read. A field whose key the
 * file lacks is left out.
 * @throws KeystoneError gguf/bad-metadata
 */
export function ggufConfig(reader: MetadataReader, facts: ConfigFacts): Readonly<Record<string, unknown>> {
  const { architecture, shapes } = facts;
  const of = (key: string): string => `${architecture}.${key}`;
  const window = reader.commonNumber(of("attention.sliding_window")) || null;
  // llama.cpp has one architecture for both; only Mistral has a window
  const modelType = architecture === "llama" && window !== null ? "mistral" : architecture;
  const [vocabulary] = shapes.get("model.embed_tokens.weight") ?? [];
  // no key announces biases: llama.cpp takes those that are there
  const has = (name: RegExp): boolean => [...shapes.keys()].some((each) => name.test(each));
  const className = CLASSES[modelType];
  return withoutAbsent({
    architectures: className === undefined ? undefined : [className],
    model_type: modelType,
    vocab_size: vocabulary ?? reader.number(of("vocab_size")),
    hidden_size: reader.number(of("embedding_length")),
    intermediate_size: reader.commonNumber(of("feed_forward_length")),
    num_hidden_layers: reader.number(of("block_count")),
    num_attention_heads: reader.commonNumber(of("attention.head_count")),
    // as in llama.cpp, where a file that does not say has a key head for every query head
    num_key_value_heads:
      reader.commonNumber(of("attention.head_count_kv")) ?? reader.commonNumber(of("attention.head_count")),
    head_dim: reader.number(of("attention.key_length")),
    max_position_embeddings: reader.number(of("context_length")),
    rms_norm_eps: shortest(reader.number(of("attention.layer_norm_rms_epsilon"))),
    hidden_act: "silu",
    tie_word_embeddings: !shapes.has("lm_head.weight"),
    bos_token_id: reader.number("tokenizer.ggml.bos_token_id"),
    eos_token_id: reader.number("tokenizer.ggml.eos_token_id"),
    sliding_window: modelType === "mistral" || modelType === "phi3" ? window : undefined,
    attention_bias: has(modelType === "qwen2" ? /\.self_attn\.o_proj\.bias$/ : /\.self_attn\.\w+\.bias$/),
    mlp_bias: has(/\.mlp\.\w+\.bias$/),
    ...ropeConfig(reader, facts, of),
  });
}

function ropeConfig(
  reader: MetadataReader,
  { architecture, ropeFactors }: ConfigFacts,
  of: (key: string) => string,
): Record<string, unknown> {
  const theta = shortest(reader.number(of("rope.freq_base"))) ?? 10_000;
  const original = reader.number(of("rope.scaling.original_context_length"));
  const partial = partialFactor(reader, of);
  const attention = shortest(reader.number(of("rope.scaling.attn_factor")));
  const fields = withoutAbsent({
    rope_theta: theta,
    partial_rotary_factor: partial === 1 ? undefined : partial,
    original_max_position_embeddings: architecture === "phi3" ? original : undefined,
  });
  const [both, long, short] = [ROPE_TENSORS.both, ROPE_TENSORS.long, ROPE_TENSORS.short].map((name) =>
    ropeFactors.get(name),
  );
  if (long && short)
    return {
      ...fields,
      rope_scaling: withoutAbsent({
        rope_type: "longrope",
        long_factor: long,
        short_factor: short,
        attention_factor: attention,
      }),
    };
  if (both)
    return {
      ...fields,
      rope_scaling: { rope_type: "longrope", long_factor: both, short_factor: both, attention_factor: 1 },
    };
  const type = reader.string(of("rope.scaling.type"));
  const factor = shortest(reader.number(of("rope.scaling.factor")));
  if (type === "linear" && factor !== null && factor !== 1)
    return { ...fields, rope_scaling: { rope_type: "linear", factor } };
  if (type === "yarn" && factor !== null) {
    const scaling = {
      rope_type: "yarn",
      factor,
      original_max_position_embeddings: original,
      // llama.cpp multiplies this with YaRN's own factor
      attention_factor: (attention ?? 1) * (0.1 * Math.log(factor) + 1),
      beta_fast: shortest(reader.number(of("rope.scaling.yarn_beta_fast"))),
      beta_slow: shortest(reader.number(of("rope.scaling.yarn_beta_slow"))),
    };
    return { ...fields, rope_scaling: withoutAbsent(scaling) };
  }
  return fields;
}

/** Share of a head's channels that are turned. */
function partialFactor(reader: MetadataReader, of: (key: string) => string): number {
  const turned = reader.number(of("rope.dimension_count"));
  const heads = reader.commonNumber(of("attention.head_count"));
  const hidden = reader.number(of("embedding_length"));
  const size = reader.number(of("attention.key_length")) ?? (heads && hidden ? hidden / heads : null);
  if (turned === null || size === null || size === 0 || turned === size) return 1;
  return shareOf(turned, size);
}

/** The shortest decimal number of which `size` times gives `turned` when it is cut to whole channels. */
function shareOf(turned: number, size: number): number {
  for (let digits = 1; digits < 17; digits++) {
    const share = Number((turned / size).toPrecision(digits));
    if (Math.trunc(size * share) === turned) return share;
  }
  return turned / size;
}

/** The shortest decimal number that is the same f32: 1e-5 is stored as 0.000009999999747378752. */
export function shortest(value: number | null): number | null {
  if (value === null) return null;
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === Math.fround(value)) return candidate;
  }
  return value;
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}
