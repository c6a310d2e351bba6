import type { Note } from "#shared/notes.ts";
import { familyFor, familyNameOf, fieldsOf } from "#engine/architecture/readArchitecture.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { InventoryEntry, UnusedReason } from "#shared/inventory.ts";

type Config = Readonly<Record<string, unknown>>;

/** Fields that something else than the equations reads. */
const OTHER_READERS: Readonly<Record<string, string>> = {
  bos_token_id: "generation",
  eos_token_id: "generation",
  pad_token_id: "generation",
  dtype: "type of packed weights and of exports",
  torch_dtype: "type of packed weights and of exports",
  compression_config: "unpacking",
};

const REASONS: readonly { readonly pattern: RegExp; readonly reason: UnusedReason }[] = [
  {
    pattern:
      /dropout|^(?:initializer_\w+|aux_loss\w*|router_\w*loss\w*|gradient_checkpointing|label_smoothing)$/,
    reason: { code: "training", text: "a setting of training" },
  },
  {
    pattern:
      /^(?:transformers_version|_name_or_path|auto_map|task_specific_params|id2label|label2id|unsloth_\w+|model_name|problem_type|finetuning_task|tokenizer_class|_\w+)$/,
    reason: { code: "description", text: "a description for people and other programs" },
  },
  {
    pattern:
      /^(?:use_cache|cache_implementation|output_\w+|return_dict\w*|torchscript|pretraining_tp|use_bfloat16|chunk_size_feed_forward|is_encoder_decoder|is_decoder|add_cross_attention|tie_encoder_decoder|cross_attention_hidden_size|prefix|num_return_sequences|attn_implementation|use_flash_attn\w*)$/,
    reason: { code: "runtime", text: "a setting of how a program runs, which changes no number" },
  },
];
const NOT_OF_FAMILY: UnusedReason = {
  code: "not-of-family",
  text: "the family's equations have no such setting, in transformers neither",
};
const OTHER_PART: UnusedReason = {
  code: "other-part",
  text: "of a part for images or sound, and texts are computed",
};
const NOT_RUN: UnusedReason = { code: "not-run", text: "the model is only looked at" };

/** Every field of a config.json, with what reads it or why nothing does. */
export function configEntries(config: Config): InventoryEntry[] {
  const isPart = textConfig(config, []) !== null;
  const fields = isPart ? new Set(["model_type", "architectures"]) : familyFields(config);
  return Object.keys(config).map((name): InventoryEntry => {
    if (isPart && name === "text_config") return { name, kind: "config", usedBy: "equations" };
    if (isPart && OTHER_PARTS.test(name)) return { name, kind: "config", notUsedBecause: OTHER_PART };
    const usedBy = fields?.has(name) === true ? usedByEquations(name) : OTHER_READERS[name];
    if (usedBy !== undefined) return { name, kind: "config", usedBy };
    const known = REASONS.find(({ pattern }) => pattern.test(name))?.reason;
    return { name, kind: "config", notUsedBecause: known ?? (fields ? NOT_OF_FAMILY : NOT_RUN) };
  });
}

function usedByEquations(name: string): string {
  if (name === "quantization_config") return "unpacking";
  return name === "model_type" || name === "architectures" ? "choice of the family" : "equations";
}

/** Names of settings that change the numbers of the families that have them. */
const BEARING =
  /softcap|_multiplier$|^logits?_scal|^clip_qkv$|qk_norm|qk_layernorm|alibi|num_(?:local_)?experts|parallel_residual/;

/** Says which fields another family would compute with, where this one does not. */
export function bearingNotes(config: Config): Note[] {
  return configEntries(config).flatMap((entry) => {
    if (!("notUsedBecause" in entry) || entry.notUsedBecause.code !== NOT_OF_FAMILY.code) return [];
    const value = config[entry.name];
    const idle = value === null || value === false || value === 0 || value === 1;
    if (idle || !BEARING.test(entry.name)) return [];
    return [
      {
        code: "config/no-equation",
        text: `config.json sets "${entry.name}", which the model's family has no equation for: it changes nothing here, in transformers neither.`,
      },
    ];
  });
}

/** Fields of a config that its family does not read and that nothing explains: another program may compute with them. */
export function unreadFields(config: Config): string[] {
  return configEntries(config).flatMap((entry) => {
    if (!("notUsedBecause" in entry) || entry.notUsedBecause.code !== NOT_OF_FAMILY.code) return [];
    const value = config[entry.name];
    return value === null || value === false ? [] : [entry.name];
  });
}

/** Null where the family is not known. */
function familyFields(config: Config): ReadonlySet<string> | null {
  try {
    return fieldsOf(config);
  } catch (error) {
    if (error instanceof KeystoneError) return null;
    throw error;
  }
}

/** Fields of a model of several parts that are of the other ones. */
const OTHER_PARTS = /vision|image|audio|video|mm_|multimodal|projector|spatial_merge|boi_|eoi_|boa_|eoa_/;

/**
 * The language model's own config where it is one part of a larger model: the fields of `text_config`, and of the whole what is said of
 * all parts. Whether the head is tied, the tensors say. Null for other configs.
 */
function textConfig(config: Config, names: Iterable<string>): Config | null {
  const text = config["text_config"];
  if (typeof text !== "object" || text === null || Array.isArray(text) || familyNameOf(config) !== null)
    return null;
  const inner = text as Config;
  const family = familyNameOf(inner);
  if (family === null) return null;
  const outer = Object.entries(config).filter(
    ([name]) => OTHER_READERS[name] !== undefined || name === "quantization_config",
  );
  return {
    ...Object.fromEntries(outer),
    ...inner,
    architectures: [familyFor(inner).classes[0]],
    tie_word_embeddings: ![...names].some((name) => name.endsWith("lm_head.weight")),
  };
}

/**
 * A config with the spellings that other programs write brought to the usual ones: `torch.bfloat16` is `bfloat16`, and a family that
 * its class alone names has its `model_type`, without which transformers loads nothing.
 */
export function settleSpellings(whole: Config, names: Iterable<string>): Config {
  const config = textConfig(whole, names) ?? whole;
  const family = (config["model_type"] ?? null) === null ? familyNameOf(config) : null;
  const types = ["torch_dtype", "dtype"].flatMap((name): [string, string][] => {
    const value = config[name];
    return typeof value === "string" && value.startsWith("torch.")
      ? [[name, value.slice("torch.".length)]]
      : [];
  });
  const changed = [...types, ...(family === null ? [] : [["model_type", family] as [string, string]])];
  return changed.length === 0 ? config : { ...config, ...Object.fromEntries(changed) };
}
