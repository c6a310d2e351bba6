import { freemem } from "node:os";
import type { GeneratedText, GenerateReport } from "#shared/comparison.ts";
import { KeystoneError } from "#shared/errors.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { readHead } from "#engine/evaluate/judgeHead.ts";
import { createLayerReader } from "#engine/evaluate/layerReader.ts";
import { createMeter, type Meter } from "#engine/evaluate/meter.ts";
import type { Variant } from "#engine/evaluate/types.ts";
import { createScratch, createWeightMaker } from "#engine/evaluate/variantWeights.ts";
import type { HeadWeights, HiddenBatch, LayerWeights } from "#engine/forward/types.ts";
import { openModel, type OpenModel } from "../openModel.ts";
import type { Talk } from "../talk.ts";
import type { TaskFields } from "../task.ts";
import { planVariant } from "../variants.ts";

const ORIGINAL: Variant = { id: "original", plans: new Map() };
/** Sequences are padded to multiples of this, so that graphs and tables serve many tokens. */
const PAD = 32;
/** A model whose widened weights fit into this share of the free memory is kept there while its text is generated. */
const KEEP_SHARE = 0.5;

/** The same prompt continued by the original and each variant: the most likely token every time, until EOS or the limit. */
export async function generateTask({ model: handle, variants, prompt, tokens }: TaskFields<"generate">, talk: Talk): Promise<GenerateReport> {
  const begin = performance.now();
  const model = await openModel(handle);
  const tokenizer = await model.tokenizer();
  const text = tokenizer.encode(prompt);
  const ids = tokenizer.bos === null ? text : [tokenizer.bos, ...text];
  requireRoom(ids.length, tokens, model.architecture.facts.contextLength);
  const lanes = [
    { label: "original", id: null, variant: ORIGINAL },
    ...variants.map((request) => ({ label: recipeLabel(request.recipe), id: request.id, variant: planVariant(model, request).variant })),
  ];
  const meter = createMeter(lanes.length * tokens, "tokens", talk.watch);
  const outputs: GenerateReport["outputs"] = [];
  for (const [done, { label, id, variant }] of lanes.entries()) {
    const written = await continueText(model, variant, ids, tokens, meter, label);
    // A text that ended early is done with all its tokens.
    await meter.advance((done + 1) * tokens - (done * tokens + written.length), label);
    outputs.push({ label, id, output: readable(written, tokenizer) });
  }
  return {
    prompt,
    promptTokens: ids.map((id) => ({ id, text: tokenizer.tokenText(id) })),
    outputs,
    seconds: (performance.now() - begin) / 1000,
  };
}

function readable(ids: readonly number[], tokenizer: Awaited<ReturnType<OpenModel["tokenizer"]>>): GeneratedText {
  return { tokens: ids.map((id) => ({ id, text: tokenizer.tokenText(id) })), text: tokenizer.decode(ids) };
}

/** Greedy decoding of one variant; its weights are made once where they fit in memory, otherwise for every token. */
async function continueText(model: OpenModel, variant: Variant, prompt: readonly number[], limit: number, meter: Meter, label: string): Promise<number[]> {
  const { architecture, forward, checkpoint } = model;
  const tokenizer = await model.tokenizer();
  const weights = await variantWeights(model, variant);
  const ids = [...prompt];
  while (ids.length < prompt.length + limit) {
    const padded = Int32Array.from({ length: Math.ceil(ids.length / PAD) * PAD }, (_, i) => ids[i] ?? 0);
    let hidden = await forward.embed(weights.embedding ?? checkpoint, [padded]);
    for (let layer = 0; layer < architecture.facts.layers; layer++) hidden = await forward.layer(layer, hidden, await weights.layer(layer));
    const next = mostLikely(await forward.logits(row(hidden, ids.length - 1, architecture.facts.hiddenSize), weights.head));
    if (next === tokenizer.eos) break;
    ids.push(next);
    await meter.advance(1, label);
  }
  return ids.slice(prompt.length);
}

interface GenerationWeights {
  readonly head: HeadWeights;
  /** The variant's own embedding table; null = the checkpoint's, read by rows. */
  readonly embedding: Parameters<OpenModel["forward"]["embed"]>[0] | null;
  layer(layer: number): Promise<LayerWeights>;
}

async function variantWeights(model: OpenModel, variant: Variant): Promise<GenerationWeights> {
  const { architecture, checkpoint } = model;
  const { layers, hiddenSize } = architecture.facts;
  const maker = createWeightMaker(architecture, variant, createScratch());
  const reader = createLayerReader(model);
  const make = async (layer: number): Promise<LayerWeights> => maker.layer(layer, await reader.read(layer));
  const original = await readHead(model);
  const table = variant.plans.has(architecture.embedTensor)
    ? maker.tensor(architecture.embedTensor, await checkpoint.read(architecture.embedTensor))
    : null;

  const kept: LayerWeights[] = [];
  const keeps = layerBytes(model) * layers < freemem() * KEEP_SHARE;
  return {
    head: { norm: original.norm, head: maker.tensor(architecture.headTensor, original.head) },
    embedding: table && { readRows: async (_name, indices) => rowsOf(table, indices, hiddenSize) },
    async layer(layer) {
      if (!keeps) return make(layer);
      // What is made lies in memory that the next layer overwrites.
      return (kept[layer] ??= Object.fromEntries(Object.entries(await make(layer)).map(([slot, values]) => [slot, values.slice()])));
    },
  };
}

function layerBytes({ architecture }: OpenModel): number {
  const weights = architecture.layerTensors(0).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  return weights * Float32Array.BYTES_PER_ELEMENT;
}

function rowsOf(table: Float32Array, indices: ArrayLike<number>, width: number): Float32Array {
  const rows = new Float32Array(indices.length * width);
  for (let i = 0; i < indices.length; i++) rows.set(table.subarray((indices[i] ?? 0) * width, ((indices[i] ?? 0) + 1) * width), i * width);
  return rows;
}

function row({ data }: HiddenBatch, position: number, width: number): Float32Array {
  return data.slice(position * width, (position + 1) * width);
}

/** The first of the largest. */
function mostLikely(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] ?? 0) > (logits[best] ?? 0)) best = i;
  return best;
}

function requireRoom(prompt: number, tokens: number, context: number): void {
  if (prompt > 0 && prompt + tokens <= context) return;
  throw new KeystoneError(
    "usage/prompt-length",
    prompt === 0
      ? "The prompt holds no token."
      : `The prompt takes ${prompt} tokens and ${tokens} more were asked for, but the model has ${context} positions.`,
    prompt === 0 ? "Write a few words." : "Shorten the prompt, or ask for fewer tokens.",
    { prompt, tokens, context },
  );
}
