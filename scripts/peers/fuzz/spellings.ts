import type { Disturbance, Draft } from "./draft.ts";

/** config.json that says the same in another way, or more than is needed. */
export const SPELLINGS: readonly Disturbance[] = [
  { name: "dtype with its module's name", apply: put({ torch_dtype: "torch.bfloat16" }) },
  {
    name: "dtype under its newer name",
    apply: (draft) => {
      const { torch_dtype: dtype, ...rest } = draft.config;
      draft.config = { ...rest, dtype };
      return true;
    },
  },
  {
    name: "no architectures",
    // one of the two names the family
    apply: (draft) => "model_type" in draft.config && drop("architectures")(draft),
  },
  {
    name: "no model_type",
    // not where that is what stands for an unknown one
    apply: (draft) => !draft.broken && "architectures" in draft.config && drop("model_type")(draft),
  },
  { name: "head_dim is null", apply: (draft) => usualHeads(draft) && put({ head_dim: null })(draft) },
  { name: "no head_dim", apply: (draft) => usualHeads(draft) && drop("head_dim")(draft) },
  {
    name: "no num_key_value_heads",
    apply: (draft) =>
      draft.config["num_key_value_heads"] === draft.config["num_attention_heads"] &&
      ["llama", "phi3"].includes(draft.meaning.family) &&
      drop("num_key_value_heads")(draft),
  },
  {
    name: "rotary settings in rope_parameters",
    apply: (draft) => {
      const { rope_theta, rope_scaling, ...rest } = draft.config;
      if (rope_theta === undefined) return false;
      const scaling = (rope_scaling ?? { rope_type: "default" }) as Record<string, unknown>;
      draft.config = { ...rest, rope_parameters: { ...scaling, rope_theta } };
      return true;
    },
  },
  {
    name: "rotary scaling's type under its older name",
    apply: (draft) => {
      const scaling = draft.config["rope_scaling"];
      if (typeof scaling !== "object" || scaling === null || !("rope_type" in scaling)) return false;
      const { rope_type, ...rest } = scaling;
      draft.config["rope_scaling"] = { type: rope_type, ...rest };
      return true;
    },
  },
  {
    name: "no rope_scaling",
    apply: (draft) => draft.config["rope_scaling"] === null && drop("rope_scaling")(draft),
  },
  {
    name: "fields of no concern",
    apply: put({
      use_cache: true,
      pretraining_tp: 1,
      initializer_range: 0.02,
      transformers_version: "4.1.0",
      auto_map: {},
    }),
  },
  { name: "an empty quantization_config", apply: put({ quantization_config: {} }) },
  {
    name: "a quantization_config over plain weights",
    apply: (draft, random) =>
      put({
        quantization_config: random.pick([
          { quant_method: "bitsandbytes", load_in_4bit: true },
          { quant_method: "fp8", activation_scheme: "dynamic" },
          { quant_method: "gptq", bits: 4, group_size: 128 },
        ]),
      })(draft),
  },
  {
    name: "Infinity and NaN as Python writes them",
    apply: (draft) => {
      draft.textChanges.push((text) => `${text.slice(0, -1)}, "upper_limit": Infinity, "unknown": NaN}`);
      return true;
    },
  },
  {
    name: "a field given twice, alike",
    apply: (draft) => {
      const size = String(draft.config["hidden_size"]);
      draft.textChanges.push((text) => `${text.slice(0, -1)}, "hidden_size": ${size}}`);
      return true;
    },
  },
  {
    name: "a byte order mark",
    apply: (draft) => {
      draft.textChanges.push((text) => `\ufeff${text}`);
      return true;
    },
  },
  { name: "an activation that is not known", apply: (draft) => refused(draft, { hidden_act: "swoosh" }) },
  {
    name: "an architecture that is not known",
    apply: (draft) => refused(draft, { model_type: "unheard_of" }),
  },
  { name: "heads that do not divide", apply: (draft) => refused(draft, { num_key_value_heads: 3 }) },
];

/** What is written as config.json. */
export function textOf({ config, textChanges }: Draft): string {
  return textChanges.reduce((text, change) => change(text), JSON.stringify(config));
}

function put(fields: Record<string, unknown>): (draft: Draft) => boolean {
  return (draft) => {
    Object.assign(draft.config, fields);
    return true;
  };
}

function drop(field: string): (draft: Draft) => boolean {
  return (draft) => {
    if (!(field in draft.config)) return false;
    draft.config = Object.fromEntries(Object.entries(draft.config).filter(([name]) => name !== field));
    return true;
  };
}

function refused(draft: Draft, fields: Record<string, unknown>): boolean {
  draft.broken = true;
  return put(fields)(draft);
}

function usualHeads({ config }: Draft): boolean {
  return Number(config["head_dim"]) === Number(config["hidden_size"]) / Number(config["num_attention_heads"]);
}
