import type { Note } from "#shared/notes.ts";
import { SCHEMES } from "#shared/schemes/index.ts";
import { describeDecoder } from "#engine/architecture/readArchitecture.ts";
import type { Decoder } from "#engine/architecture/description/description.ts";
import { readChatTemplates } from "../../tokens/chatTemplates.ts";
import { ggmlType } from "../layout/ggmlTypes.ts";
import { groupsApart, interleavedHeads, type RowOrder } from "../layout/headRows.ts";
import type { MetadataEntry } from "../layout/metadata.ts";
import { tensorNames } from "../layout/tensorNames.ts";
import { isDerived, isNormWeight, modulePath } from "#engine/checkpoint/tensorRole.ts";
import { findTokenizerFiles } from "../../tokens/loadTokenizer.ts";
import { modelName } from "#engine/checkpoint/modelName.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { ExportSource } from "../../write/exporter.ts";
import { readSourceLicense } from "../../write/sourceCard.ts";
import { chatTemplateEntries } from "./chatTemplateEntries.ts";
import { ggufFormOf, hyperparameters, ropeTensors } from "./hyperparameters.ts";
import { ALIGNMENT, encodeHeader, padding, type TableEntry } from "./metadataWriter.ts";
import { bytesOf, typeOf } from "./storedTypes.ts";
import { tokenizerMetadata, type TokenizerMetadata } from "./tokenizerMetadata.ts";

/** One tensor to write. */
export interface GgufTensorPlan {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  /** What fills it: a tensor of the source, or numbers made from the config. */
  readonly source: TensorInfo | Float32Array;
  /** Where the file wants rows elsewhere; null where it does not. */
  readonly order: RowOrder | null;
  /** Whether the file holds 1 + what the checkpoint holds. */
  readonly onePlus: boolean;
}

export interface GgufPlan {
  /** Name of the file. */
  readonly file: string;
  readonly header: Uint8Array;
  readonly tensors: readonly GgufTensorPlan[];
  readonly bytes: number;
  readonly notes: readonly Note[];
}

/** `general.file_type`: what most weights are stored as, or the mix. */
const FILE_TYPES: Readonly<Record<string, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  Q2_K: 10,
  Q3_K_S: 11,
  Q3_K: 12,
  Q3_K_M: 12,
  Q3_K_L: 13,
  Q4_K_S: 14,
  Q4_K: 15,
  Q4_K_M: 15,
  Q5_K_S: 16,
  Q5_K: 17,
  Q5_K_M: 17,
  Q6_K: 18,
  IQ4_NL: 25,
  IQ4_XS: 30,
  BF16: 32,
  TQ1_0: 36,
  TQ2_0: 37,
  MXFP4: 38,
  NVFP4: 39,
  Q1_0: 40,
};
/** Of the blocks' layout; there has been no other since 2023. */
const QUANTIZATION_VERSION = 2;

/**
 * The whole file but for its data, from headers, config and tokenizer.
 * @throws KeystoneError export/gguf-tokenizer, tokenizer/…
 */
export async function planGguf({ model, variant }: ExportSource): Promise<GgufPlan> {
  const { checkpoint } = model;
  const config = describeDecoder(checkpoint.config);
  const tensors = planTensors(checkpoint, variant.plans, config);
  const { scheme } = variant.recipe;
  const label = SCHEMES[scheme].mix === undefined ? commonType(tensors) : scheme.toUpperCase();
  const tokenizer = await tokenizerOf(checkpoint, config);
  const general = await generalMetadata(checkpoint, config, label, variant.recipeId);
  const metadata = new Map([...general, ...hyperparameters(config), ...tokenizer.entries]);
  let offset = 0;
  const table = tensors.map(({ name, type, bytes, source }): TableEntry => {
    const entry = {
      name,
      type: ggmlType(type).id,
      shape: source instanceof Float32Array ? [source.length] : source.shape,
      offset,
    };
    offset += bytes + padding(bytes);
    return entry;
  });
  const header = encodeHeader(metadata, table);
  return {
    file: `${fileStem(checkpoint.path)}-${label}.gguf`,
    header,
    tensors,
    bytes: header.byteLength + offset,
    notes: tokenizer.notes,
  };
}

function planTensors(
  checkpoint: Checkpoint,
  plans: ReadonlyMap<string, TensorPlan>,
  config: Decoder,
): GgufTensorPlan[] {
  const form = ggufFormOf(config);
  const names = tensorNames(form);
  const made = [...ropeTensors(config)].map(([name, source]): GgufTensorPlan => ({
    ...{ name, type: "F32", bytes: source.byteLength, source },
    ...{ order: null, onePlus: false },
  }));
  const own = [...checkpoint.tensors.values()].flatMap((source): GgufTensorPlan[] => {
    if (isDerived(source.name)) return [];
    const plan = plans.get(source.name);
    const type = typeOf(source, plan);
    const name = names.toGguf(source.name);
    // both were asked for in problems()
    if (type === null || name === null) throw new TypeError(`${source.name} has no place in a GGUF file`);
    const onePlus = form?.onePlusNorms === true && isNormWeight(source);
    return [
      { name, type, bytes: bytesOf(source, plan), source, order: orderOf(source.name, config), onePlus },
    ];
  });
  return [...made, ...own];
}

/** Where the rows of a tensor go. */
function orderOf(name: string, decoder: Decoder): RowOrder | null {
  const form = ggufFormOf(decoder);
  const { heads, keyValueHeads, headSize } = decoder.layers[0].attention.body;
  const path = modulePath(name);
  if (form?.interleaved.includes(path) === true) return interleavedHeads(headSize);
  return form?.grouped === path ? groupsApart(heads, keyValueHeads, headSize) : null;
}

/** The type that holds most weights. */
function commonType(tensors: readonly GgufTensorPlan[]): string {
  const weights = new Map<string, number>();
  for (const { type, source } of tensors) {
    if (source instanceof Float32Array || source.shape.length !== 2) continue;
    weights.set(type, (weights.get(type) ?? 0) + source.parameters);
  }
  const [first] = [...weights].sort(([, a], [, b]) => b - a);
  return first?.[0] ?? "F32";
}

async function generalMetadata(
  checkpoint: Checkpoint,
  config: Decoder,
  label: string,
  recipeId: string,
): Promise<Map<string, MetadataEntry>> {
  const license = await readSourceLicense(checkpoint.path);
  const text = (value: string): MetadataEntry => ({ type: "string", value });
  const number = (value: number): MetadataEntry => ({ type: "u32", value });
  return new Map([
    ["general.architecture", text(ggufFormOf(config)?.architecture ?? config.family)],
    ["general.type", text("model")],
    ["general.name", text(modelName(checkpoint.path))],
    ["general.quantized_by", text("Keystone")],
    ["general.quantization_version", number(QUANTIZATION_VERSION)],
    ["general.file_type", number(FILE_TYPES[label] ?? 0)],
    ["general.alignment", number(ALIGNMENT)],
    ...(license ? [["general.license", text(license.license)] as const] : []),
    ["keystone.recipe_id", text(recipeId)],
  ]);
}

const kept = new WeakMap<Checkpoint, Promise<TokenizerMetadata>>();

/** Made once per open checkpoint: recognising a large vocabulary's rules takes seconds. */
function tokenizerOf(checkpoint: Checkpoint, config: Decoder): Promise<TokenizerMetadata> {
  const found = kept.get(checkpoint) ?? readTokenizer(checkpoint, config);
  kept.set(checkpoint, found);
  return found;
}

async function readTokenizer(checkpoint: Checkpoint, config: Decoder): Promise<TokenizerMetadata> {
  const files = await findTokenizerFiles(checkpoint.path);
  if (!files)
    return {
      entries: new Map([["tokenizer.ggml.model", { type: "string", value: "none" }]]),
      notes: [
        {
          code: "tokenizer/none",
          text: "The source has no tokenizer.json: the GGUF file holds no vocabulary, and llama.cpp runs it on token ids only.",
        },
      ],
    };
  const name = modelName(checkpoint.path);
  const { entries, notes } = tokenizerMetadata(files, config.vocabulary, checkpoint.config, name);
  const templates = await readChatTemplates(checkpoint.path, files.config["chat_template"]);
  return { entries: new Map([...entries, ...chatTemplateEntries(templates)]), notes };
}

/** The model's name as a file's: letters, digits, dots, dashes and underscores. */
function fileStem(path: string): string {
  const name = modelName(path)
    .replace(/^.*\//, "")
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[.-]+/, "");
  return name === "" ? "model" : name.slice(0, 100);
}
