import type { Note } from "#shared/notes.ts";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { fileSource } from "#engine/files/byteSource.ts";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { infosOf } from "#engine/checkpoint/fileCheckpoint.ts";
import { identify } from "#engine/checkpoint/fingerprint.ts";
import { folderEntries } from "#engine/checkpoint/folderFiles.ts";
import type { OpenedFiles } from "#engine/checkpoint/openedFiles.ts";
import { shardSize } from "#engine/checkpoint/shardFiles.ts";
import { shown } from "#engine/files/strictJson.ts";
import { findMatrices } from "./findMatrices.ts";
import { MODEL_FILE } from "../layout/names.ts";
import { OnnxCheckpoint, type OnnxTensor } from "./onnxCheckpoint.ts";
import { familyNames } from "#engine/architecture/readArchitecture.ts";
import { readOnnxModel, type Initializer } from "./readModel.ts";
import { tensorsOf } from "./tensorsOf.ts";

const MAX_CONFIG_BYTES = 16_000_000;
/** What a protobuf message can be at all; weights lie beside it. */
const MAX_MODEL_BYTES = 2 ** 31;

/** Whether a folder holds an ONNX decoder and no safetensors file. */
export async function holdsOnnx(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() !== true) return false;
  const names = await readdir(path);
  return names.includes(MODEL_FILE) && !names.some((name) => name.endsWith(".safetensors"));
}

/**
 * Opens a folder with model.onnx, the files that its tensors lie in, and the source's config.json: what Keystone exports, and
 * what others quantized for MatMulNBits under names that say which weight is which. Of the weights only what the fingerprint samples is read.
 * @throws KeystoneError onnx/…, checkpoint/…
 */
export async function openOnnx(path: string): Promise<OpenedFiles> {
  const config = await configOf(path);
  const bytes = await shardSize(path, MODEL_FILE);
  if (bytes > MAX_MODEL_BYTES) throw tooLarge(bytes);
  const source = fileSource(join(path, MODEL_FILE), bytes);
  const model = await readOnnxModel(source).finally(() => source.close());
  const own = familyNames(config);
  const sizes = new Map([[MODEL_FILE, bytes]]);
  for (const tensor of model.initializers.values()) {
    const file = outsideFile(tensor);
    if (file !== null && !sizes.has(file)) sizes.set(file, await shardSize(path, file));
  }
  const {
    tensors: found,
    config: settled,
    notes,
  } = tensorsOf(findMatrices(model, tableWidth(config), own), { config, own, sizes });
  if (found.size === 0) throw noWeights(path);
  const tensors = inFileOrder(found);
  const shards = [...sizes].map(([file, size]) => ({ file, bytes: size }));
  const packing = packingOf(tensors.values());
  const files = new OnnxCheckpoint({
    path,
    config: settled,
    shards,
    ...(await identify(path, settled, infosOf(tensors), shards)),
    notes: packing === undefined ? notes : [...notes, quantizedNote(packing)],
    packing,
    tensors,
    sources: new Map(shards.map(({ file, bytes: size }) => [file, fileSource(join(path, file), size)])),
  });
  return { files, beside: { entries: await folderEntries(path, new Set(sizes.keys())) } };
}

async function configOf(path: string): Promise<Record<string, unknown>> {
  return readJsonObject(join(path, "config.json"), {
    maxBytes: MAX_CONFIG_BYTES,
    badCode: "checkpoint/bad-config",
    python: true,
  });
}

/** By file, and within a file in the order of their bytes. */
function inFileOrder(tensors: ReadonlyMap<string, OnnxTensor>): Map<string, OnnxTensor> {
  const sorted = [...tensors].sort(([, { info: a }], [, { info: b }]) =>
    a.file === b.file ? a.begin - b.begin : a.file < b.file ? -1 : 1,
  );
  return new Map(sorted);
}

function packingOf(tensors: Iterable<OnnxTensor>): string | undefined {
  for (const { info, stored } of tensors) if (stored.kind === "packed") return info.packed?.scheme;
  return undefined;
}

function quantizedNote(packing: string): Note {
  return {
    code: "checkpoint/already-quantized",
    text: `This model is already quantized (${packing}): its dequantized weights are the original of every comparison, and a recipe quantizes them again.`,
  };
}

function tableWidth({ hidden_size: width }: Readonly<Record<string, unknown>>): number | null {
  return typeof width === "number" && Number.isSafeInteger(width) && width > 0 ? width : null;
}

/** The file beside the model that a tensor's data lies in. It is one of the folder itself: its name leads nowhere else. */
function outsideFile({ name, data }: Initializer): string | null {
  if (data === null || !("file" in data)) return null;
  const { file } = data;
  if (/^[^./\\:\0][^/\\:\0]{0,254}$/.test(file)) return file;
  throw new KeystoneError(
    "checkpoint/outside-folder",
    `${MODEL_FILE} puts tensor ${shown(name)} into ${shown(file)}, which is not the plain name of a file in this folder.`,
    "Do not trust this model; download it again from where it was published.",
    { file, tensor: name },
  );
}

function tooLarge(bytes: number): KeystoneError {
  return new KeystoneError(
    "onnx/too-large",
    `${MODEL_FILE} holds ${bytes} bytes; a model has at most ${MAX_MODEL_BYTES}, with its weights beside it.`,
    "It is damaged or not what its name says: download it again.",
    { bytes, allowed: MAX_MODEL_BYTES },
  );
}

function noWeights(folder: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/no-tensors",
    `${MODEL_FILE} in ${folder} holds no tensor with the name of a decoder's weight.`,
    "Choose a decoder exported by Keystone, onnxruntime-genai's builder or Optimum.",
    { folder },
  );
}
