import type { MetadataReader } from "../layout/metadata.ts";
import { OUTER_NAMES, type GgufSetting } from "#engine/architecture/description/ggufForm.ts";
import { modulePath } from "#engine/checkpoint/tensorRole.ts";
import type { Family } from "#engine/architecture/description/family.ts";
import { ROPE_TENSORS } from "../layout/tensorNames.ts";

/** What a config is made of beside the metadata. */
export interface ConfigFacts {
  readonly architecture: string;
  /** Null = one that no family here has. */
  readonly family: Family | null;
  /** By Hugging Face name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Contents of the small tensors that hold divisors of rotary frequencies, by the file's names. */
  readonly ropeFactors: ReadonlyMap<string, readonly number[]>;
}

/**
 * The config.json that a file's metadata amounts to, in the fields that the architectures here read. A field whose key the
 * file lacks is left out.
 * @throws KeystoneError gguf/bad-metadata
 */
export function ggufConfig(reader: MetadataReader, facts: ConfigFacts): Readonly<Record<string, unknown>> {
  const { architecture, family, shapes } = facts;
  const form = family?.gguf ?? null;
  const of = (key: string): string => `${architecture}.${key}`;
  const outside = (gguf: string): string =>
    Object.entries(form?.outer ?? OUTER_NAMES).find(([, name]) => name === gguf)?.[0] ?? gguf;
  const [vocabulary] = shapes.get(outside("token_embd.weight")) ?? [];
  // no key announces biases: llama.cpp takes those that are there
  const has = (name: RegExp): boolean => [...shapes.keys()].some((each) => name.test(each));
  const biases = family?.biases ?? null;
  const always = new Set(biases?.always.map((slot) => `self_attn.${slot}`));
  const attentionBiases = [...shapes.keys()].some(
    (name) => /\.self_attn\.\w+\.bias$/.test(name) && !always.has(modulePath(name)),
  );
  const fields = withoutAbsent({
    architectures: family ? [family.classes[0]] : undefined,
    model_type: family?.modelType ?? architecture,
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
    layer_norm_eps: shortest(reader.number(of("attention.layer_norm_epsilon"))),
    hidden_act: "silu",
    ...form?.config,
    tie_word_embeddings: !shapes.has(outside("output.weight")),
    bos_token_id: reader.number("tokenizer.ggml.bos_token_id"),
    eos_token_id: reader.number("tokenizer.ggml.eos_token_id"),
    ...(family && biases === null
      ? {}
      : { attention_bias: attentionBiases, mlp_bias: has(/\.mlp\.\w+\.bias$/) }),
    ...ropeConfig(reader, facts, of),
    ...settings(reader, form?.settings ?? [], of),
  });
  const completed = withoutAbsent({ ...fields, ...form?.complete(fields) });
  return Object.fromEntries(
    Object.entries(completed).map(([name, value]) => [form?.fields[name] ?? name, value]),
  );
}

/** The fields that only this family has. */
function settings(
  reader: MetadataReader,
  all: readonly GgufSetting[],
  of: (key: string) => string,
): Record<string, unknown> {
  return withoutAbsent(
    Object.fromEntries(
      all.flatMap(({ key, type, field, read }): [string, unknown][] => {
        const value = settingOf(reader, of(key), type);
        if (field === null) return [];
        return [[field, value === null || !read ? value : read(value)]];
      }),
    ),
  );
}

function settingOf(
  reader: MetadataReader,
  key: string,
  type: GgufSetting["type"],
): number | boolean | string | readonly boolean[] | null {
  if (type === "bools") return reader.booleans(key);
  if (type === "bool") return reader.boolean(key);
  if (type === "string") return reader.string(key);
  const value = reader.commonNumber(key);
  return type === "f32" ? shortest(value) : value;
}

function ropeConfig(
  reader: MetadataReader,
  { ropeFactors }: ConfigFacts,
  of: (key: string) => string,
): Record<string, unknown> {
  const theta = shortest(reader.number(of("rope.freq_base"))) ?? 10_000;
  const original = reader.number(of("rope.scaling.original_context_length"));
  const partial = partialFactor(reader, of);
  const attention = shortest(reader.number(of("rope.scaling.attn_factor")));
  const fields = withoutAbsent({
    rope_theta: theta,
    partial_rotary_factor: partial === 1 ? undefined : partial,
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
