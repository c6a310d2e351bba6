import { hasUnannouncedBiases, type DecoderConfig } from "#engine/architecture/decoder/decoderConfig.ts";
import { rotaryFrequencies } from "#engine/architecture/rope/rope.ts";
import type { MetadataEntry, ScalarType } from "../layout/metadata.ts";
import { ROPE_TENSORS } from "../layout/tensorNames.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";

/** llama.cpp's architecture for each of Keystone's families. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  llama: "llama",
  mistral: "llama",
  qwen2: "qwen2",
  phi3: "phi3",
};

/** `general.architecture` of a family; null where GGUF export does not know it. */
export function ggufArchitecture(family: string): string | null {
  return ARCHITECTURES[family] ?? null;
}

/** Families whose matrices llama.cpp expects as wide as the hidden state, whatever `attention.key_length` says. */
const HEADS_FILL_HIDDEN: readonly string[] = ["qwen2", "phi3"];

/** What of a model's equations llama.cpp does not compute. */
export function equationProblems(config: DecoderConfig): KeystoneErrorData[] {
  const { family, activation, rope, heads, headSize, hiddenSize } = config;
  const problem = (what: string): KeystoneErrorData =>
    new KeystoneError(
      "export/gguf-model",
      `llama.cpp cannot compute this model: ${what}.`,
      "Export as safetensors or onnx instead.",
      { family },
    ).toData();
  return [
    ...(ggufArchitecture(family) === null ? [problem(`GGUF export does not know the family ${family}`)] : []),
    ...(ggufArchitecture(family) === "llama" || !hasUnannouncedBiases(config)
      ? []
      : [problem(`it has biases that the architecture ${family} cannot store`)]),
    ...(activation === "silu" ? [] : [problem(`its activation is ${activation}, and llama.cpp has silu`)]),
    ...(HEADS_FILL_HIDDEN.includes(family) && heads * headSize !== hiddenSize
      ? [
          problem(
            `its ${heads} heads of ${headSize} channels do not make up its ${hiddenSize} hidden channels, which llama.cpp expects of ${family}`,
          ),
        ]
      : []),
    ...(rope.kind === "yarn" && !rope.truncate
      ? [problem("its YaRN ramp is not truncated to whole channels, and llama.cpp's is")]
      : []),
    ...(rope.kind === "yarn" && (rope.betaFast !== 32 || rope.betaSlow !== 1)
      ? [
          problem(
            `its YaRN ramp lies between ${rope.betaFast} and ${rope.betaSlow} turns, and llama.cpp's between 32 and 1`,
          ),
        ]
      : []),
  ];
}

/** What llama.cpp computes otherwise, in texts that are long enough. */
export function equationNotes({ rope, slidingWindow, contextLength }: DecoderConfig): string[] {
  const notes: string[] = [];
  if (rope.kind === "dynamic")
    notes.push(
      `llama.cpp has no dynamic rotary scaling: texts longer than ${contextLength} tokens are computed without it.`,
    );
  if (rope.kind === "longrope" && rope.originalContext < contextLength)
    notes.push(
      `llama.cpp chooses between the factors for short and for long texts by the size of its context, not by the text: give it at most ${rope.originalContext} tokens where texts are shorter than that.`,
    );
  // it knows windows, but has them switched off for every one of these families
  if (slidingWindow !== null && slidingWindow < contextLength)
    notes.push(
      `llama.cpp computes this family without its sliding window: from token ${slidingWindow + 1} on it sees more than the model was trained with.`,
    );
  return notes;
}

/** The hyperparameters as metadata, under the architecture's name. */
export function hyperparameters(config: DecoderConfig): Map<string, MetadataEntry> {
  const architecture = ggufArchitecture(config.family) ?? config.family;
  const entries = new Map<string, MetadataEntry>();
  const put = (key: string, type: ScalarType, value: MetadataEntry["value"]): void =>
    void entries.set(`${architecture}.${key}`, { type, value });
  put("vocab_size", "u32", config.vocabulary);
  put("context_length", "u32", config.contextLength);
  put("embedding_length", "u32", config.hiddenSize);
  put("block_count", "u32", config.layers);
  put("feed_forward_length", "u32", config.intermediateSize);
  put("attention.head_count", "u32", config.heads);
  put("attention.head_count_kv", "u32", config.keyValueHeads);
  put("attention.key_length", "u32", config.headSize);
  put("attention.value_length", "u32", config.headSize);
  put("attention.layer_norm_rms_epsilon", "f32", config.normEpsilon);
  if (config.family === "phi3") put("attention.sliding_window", "u32", config.slidingWindow ?? 0);
  else if (config.slidingWindow !== null && config.fullLayers.size === 0)
    put("attention.sliding_window", "u32", config.slidingWindow);
  put("rope.dimension_count", "u32", config.rotarySize);
  put("rope.freq_base", "f32", config.rope.theta);
  ropeScaling(config, put);
  return entries;
}

function ropeScaling(
  config: DecoderConfig,
  put: (key: string, type: ScalarType, value: MetadataEntry["value"]) => void,
): void {
  const { rope } = config;
  if (rope.kind === "linear") {
    put("rope.scaling.type", "string", "linear");
    put("rope.scaling.factor", "f32", rope.factor);
  }
  if (rope.kind === "yarn") {
    put("rope.scaling.type", "string", "yarn");
    put("rope.scaling.factor", "f32", rope.factor);
    put("rope.scaling.original_context_length", "u32", rope.originalContext);
    // llama.cpp multiplies this with YaRN's own factor
    put("rope.scaling.attn_factor", "f32", rope.attentionFactor / (0.1 * Math.log(rope.factor) + 1));
  }
  if (rope.kind === "longrope") {
    put("rope.scaling.type", "string", "longrope");
    put("rope.scaling.original_context_length", "u32", rope.originalContext);
    put("rope.scaling.attn_factor", "f32", rope.attentionFactor);
  } else if (config.family === "phi3")
    put("rope.scaling.original_context_length", "u32", config.contextLength);
}

/** Small tensors that hold what rotary frequencies are divided by: name and values. */
export function ropeTensors({ rope, rotarySize, contextLength }: DecoderConfig): Map<string, Float32Array> {
  if (rope.kind === "longrope")
    return new Map([
      [ROPE_TENSORS.long, Float32Array.from(rope.longFactors)],
      [ROPE_TENSORS.short, Float32Array.from(rope.shortFactors)],
    ]);
  if (rope.kind !== "llama3") return new Map();
  const plain = rotaryFrequencies({ kind: "default", theta: rope.theta }, rotarySize, contextLength);
  const scaled = rotaryFrequencies(rope, rotarySize, contextLength);
  return new Map([[ROPE_TENSORS.both, plain.map((frequency, i) => frequency / scaled[i])]]);
}
