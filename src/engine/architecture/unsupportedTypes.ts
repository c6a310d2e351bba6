/** A model type that is well known and that no family here computes. */
export interface UnsupportedType {
  /** Completes "It is …". */
  readonly what: string;
  /** The family whose equations are nearest; null = none of them is near. */
  readonly nearest: string | null;
}

const MLA = "keys and values are kept in a compressed form (MLA)";
const NO_DECODER = "it does not predict a text's next token";

/** By `model_type`. What each is, and how it differs from the family that it is nearest to. */
export const UNSUPPORTED_TYPES: Readonly<Record<string, UnsupportedType>> = {
  deepseek_v2: { what: `DeepSeek V2: a mixture of experts, and ${MLA}`, nearest: "llama" },
  deepseek_v3: { what: `DeepSeek V3 and R1, Kimi K2: a mixture of experts, and ${MLA}`, nearest: "llama" },
  glm4_moe: { what: "GLM-4.5 to 4.7: a mixture of experts behind a sigmoid router", nearest: "glm4" },
  glm4_moe_lite: { what: `GLM-4.7 Flash: a mixture of experts, and ${MLA}`, nearest: "glm4" },
  glm_moe_dsa: { what: `GLM-5: a mixture of experts, sparse attention, and ${MLA}`, nearest: "glm4" },
  llama4: { what: "Llama 4: a mixture of experts, and attention in chunks", nearest: "llama" },
  llama4_text: { what: "Llama 4: a mixture of experts, and attention in chunks", nearest: "llama" },
  qwen3_next: { what: "Qwen3-Next: linear attention in three of four layers, and experts", nearest: "qwen3" },
  qwen3_5: { what: "Qwen3.5 and 3.6: linear attention in three of four layers", nearest: "qwen3" },
  qwen3_5_moe: {
    what: "Qwen3.5 and 3.6: linear attention in three of four layers, and experts",
    nearest: "qwen3",
  },
  granitemoe: { what: "Granite 3 MoE: a mixture of experts", nearest: "granite" },
  granitemoehybrid: { what: "Granite 4: Mamba-2 layers beside attention, and experts", nearest: "granite" },
  cohere: { what: "Command R: attention and MLP in parallel behind one LayerNorm", nearest: "gpt_neox" },
  cohere2: {
    what: "Command A: attention and MLP in parallel, windows, layers without positions",
    nearest: "gpt_neox",
  },
  nemotron: {
    what: "Nemotron 4 and Minitron: LayerNorms of 1 + w, squared ReLU without a gate",
    nearest: "llama",
  },
  nemotron_h: { what: "Nemotron-H and Nemotron 3: Mamba-2, attention, MLP and expert layers", nearest: null },
  lfm2: { what: "LFM2: short convolutions in most layers", nearest: "llama" },
  lfm2_moe: { what: "LFM2 MoE: short convolutions in most layers, and experts", nearest: "llama" },
  phi: {
    what: "Phi-1 to Phi-2: attention and MLP in parallel, partial rotary embeddings",
    nearest: "gpt_neox",
  },
  stablelm: { what: "StableLM: LayerNorms and partial rotary embeddings", nearest: "llama" },
  starcoder2: { what: "StarCoder2: LayerNorms and an MLP without a gate", nearest: "llama" },
  gptj: { what: "GPT-J: attention and MLP in parallel, interleaved rotary embeddings", nearest: "gpt_neox" },
  mpt: { what: "MPT: biases of positions (ALiBi)", nearest: "gpt2" },
  bloom: { what: "BLOOM: biases of positions (ALiBi)", nearest: "gpt_neox" },
  mamba: { what: "Mamba: a state-space model without attention", nearest: null },
  mamba2: { what: "Mamba-2: a state-space model without attention", nearest: null },
  jamba: { what: "Jamba: Mamba layers beside attention, and experts", nearest: null },
  bert: { what: `BERT: ${NO_DECODER}`, nearest: null },
  t5: { what: "T5: an encoder and a decoder", nearest: null },
};
