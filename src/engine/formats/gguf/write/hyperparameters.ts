import type { Note } from "#shared/notes.ts";
import type { Decoder, Rotary } from "#engine/architecture/description/description.ts";
import type { GgufForm } from "#engine/architecture/description/ggufForm.ts";
import { rotaryFrequencies } from "#engine/architecture/rope/rope.ts";
import { FAMILIES } from "#engine/architecture/families/families.ts";
import type { MetadataEntry, ScalarType } from "../layout/metadata.ts";
import { ROPE_TENSORS } from "../layout/tensorNames.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";

/** How llama.cpp has a family; null where it does not. */
export function ggufFormOf({ family }: Pick<Decoder, "family">): GgufForm | null {
  return FAMILIES.find(({ modelType }) => modelType === family)?.gguf ?? null;
}

/** llama.cpp has models with experts; what is written here has none. */
function noExperts(family: string): KeystoneErrorData {
  return new KeystoneError(
    "export/gguf-model",
    `A GGUF file written here has one MLP in every layer; ${family} has experts.`,
    "Export as safetensors, compressed-tensors, GPTQ or AWQ instead.",
    { family },
  ).toData();
}

/** What of a model's equations llama.cpp does not compute. */
export function equationProblems(decoder: Decoder): KeystoneErrorData[] {
  const { family, layers } = decoder;
  const form = ggufFormOf(decoder);
  const problem = (what: string): KeystoneErrorData =>
    new KeystoneError(
      "export/gguf-model",
      `llama.cpp cannot compute this model: ${what}.`,
      "Export as safetensors or onnx instead.",
      { family },
    ).toData();
  if (layers.some(({ mlp }) => mlp.body.experts)) return [noExperts(family)];
  if (form === null) return [problem(`it does not know the family ${family}`)];
  const { activation } = layers[0].mlp.body;
  const rope = mainRotary(decoder)?.settings;
  return [
    ...form.problems(decoder).map(problem),
    ...(form.activations.includes(activation)
      ? []
      : [problem(`its activation is ${activation}, and llama.cpp has ${form.activations[0]}`)]),
    ...(rope?.kind === "proportional"
      ? [problem("its rotary embedding turns the first channels of each head alone")]
      : []),
    ...(rope?.kind === "yarn" && !rope.truncate
      ? [problem("its YaRN ramp is not truncated to whole channels, and llama.cpp's is")]
      : []),
    ...(rope?.kind === "yarn" && (rope.betaFast !== 32 || rope.betaSlow !== 1)
      ? [
          problem(
            `its YaRN ramp lies between ${rope.betaFast} and ${rope.betaSlow} turns, and llama.cpp's between 32 and 1`,
          ),
        ]
      : []),
  ];
}

/** What llama.cpp computes otherwise, in texts that are long enough. */
export function equationNotes(decoder: Decoder): Note[] {
  const { layers, contextLength } = decoder;
  const rope = mainRotary(decoder)?.settings;
  const notes: Note[] = [];
  if (rope?.kind === "dynamic")
    notes.push({
      code: "gguf/dynamic-rope",
      text: `llama.cpp has no dynamic rotary scaling: texts longer than ${contextLength} tokens are computed without it.`,
    });
  if (rope?.kind === "longrope" && rope.originalContext < contextLength)
    notes.push({
      code: "gguf/longrope",
      text: `llama.cpp chooses between the factors for short and for long texts by the size of its context, not by the text: give it at most ${rope.originalContext} tokens where texts are shorter than that.`,
    });
  const windows = layers.flatMap(({ attention }) => attention.body.window ?? []);
  const smallest = windows.length === 0 ? null : Math.min(...windows);
  // it knows windows, but has them switched off for some families
  if (smallest !== null && smallest < contextLength && ggufFormOf(decoder)?.windows !== true)
    notes.push({
      code: "gguf/no-window",
      text: `llama.cpp computes this family without its sliding window: from token ${smallest + 1} on it sees more than the model was trained with.`,
    });
  return notes;
}

/** The rotary embedding of layers that see everything, else of the first that has one. */
export function mainRotary({ layers }: Pick<Decoder, "layers">): Rotary | null {
  const all = layers.flatMap(({ attention: { body } }) => (body.rotary ? [body] : []));
  return (all.find(({ window }) => window === null) ?? all.at(0))?.rotary ?? null;
}

/** The hyperparameters as metadata, under the architecture's name. */
export function hyperparameters(decoder: Decoder): Map<string, MetadataEntry> {
  const { vocabulary, contextLength, hiddenSize, layers, norm } = decoder;
  const form = ggufFormOf(decoder);
  const [{ attention, mlp }] = layers;
  const { heads, keyValueHeads, headSize } = attention.body;
  const rotary = mainRotary(decoder);
  const entries = new Map<string, MetadataEntry>();
  const put = (key: string, type: ScalarType, value: MetadataEntry["value"]): void =>
    void entries.set(`${form?.architecture ?? decoder.family}.${key}`, { type, value });
  put("vocab_size", "u32", vocabulary);
  put("context_length", "u32", contextLength);
  put("embedding_length", "u32", hiddenSize);
  put("block_count", "u32", layers.length);
  put("feed_forward_length", "u32", mlp.body.width);
  put("attention.head_count", "u32", heads);
  put("attention.head_count_kv", "u32", keyValueHeads);
  put("attention.key_length", "u32", headSize);
  put("attention.value_length", "u32", headSize);
  put(NORM_EPSILON[norm.kind], "f32", norm.epsilon);
  if (rotary) {
    put("rope.dimension_count", "u32", rotary.size);
    put("rope.freq_base", "f32", rotary.settings.theta);
    ropeScaling(rotary, put);
  }
  for (const { key, type, write } of form?.settings ?? []) {
    const value = write(decoder);
    if (value !== null) put(key, type === "bools" ? "bool" : type, value);
  }
  return entries;
}

/** Key of the norms' ε. */
export const NORM_EPSILON = {
  rms: "attention.layer_norm_rms_epsilon",
  layer: "attention.layer_norm_epsilon",
} as const;

function ropeScaling(
  { settings: rope }: Rotary,
  put: (key: string, type: ScalarType, value: MetadataEntry["value"]) => void,
): void {
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
  }
}

/** Small tensors that hold what rotary frequencies are divided by: name and values. */
export function ropeTensors(decoder: Decoder): Map<string, Float32Array> {
  const rotary = mainRotary(decoder);
  if (!rotary) return new Map();
  const { settings: rope, size } = rotary;
  if (rope.kind === "longrope")
    return new Map([
      [ROPE_TENSORS.long, Float32Array.from(rope.longFactors)],
      [ROPE_TENSORS.short, Float32Array.from(rope.shortFactors)],
    ]);
  if (rope.kind !== "llama3") return new Map();
  const plain = rotaryFrequencies({ kind: "default", theta: rope.theta }, size, decoder.contextLength);
  const scaled = rotaryFrequencies(rope, size, decoder.contextLength);
  return new Map([[ROPE_TENSORS.both, plain.map((frequency, i) => frequency / scaled[i])]]);
}
