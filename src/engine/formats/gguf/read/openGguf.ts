import type { Note } from "#shared/notes.ts";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { InventoryEntry } from "#shared/inventory.ts";
import { storedAs, type TensorInfo } from "#shared/model.ts";
import { fileSource, readFailedError, type ClosableSource } from "#engine/files/byteSource.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { infosOf } from "#engine/checkpoint/fileCheckpoint.ts";
import { identify } from "#engine/checkpoint/fingerprint.ts";
import { folderEntries } from "#engine/checkpoint/folderFiles.ts";
import type { OpenedFiles } from "#engine/checkpoint/openedFiles.ts";
import { isRegularFile } from "#engine/files/regularFile.ts";
import { shown } from "#engine/files/strictJson.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";
import type { GgufFiles } from "./findGguf.ts";
import { GgufCheckpoint, type StoredTensor } from "./ggufCheckpoint.ts";
import { ggufConfig } from "./ggufConfig.ts";
import { ggufError } from "./ggufError.ts";
import { bitsOfType } from "../layout/ggmlTypes.ts";
import { groupsApart, interleavedHeads, type RowOrder } from "../layout/headRows.ts";
import type { GgufForm } from "#engine/architecture/description/ggufForm.ts";
import { isNormWeight, modulePath } from "#engine/checkpoint/tensorRole.ts";
import { MetadataReader } from "../layout/metadata.ts";
import { bearingMetadata, metadataEntries } from "./metadataEntries.ts";
import { readGgufHeader, type GgufHeader, type GgufTensor } from "./readGgufHeader.ts";
import { tokenizerNotes } from "../layout/tokenizerDefaults.ts";
import { familyOfArchitecture, ROPE_TENSORS, tensorNames } from "../layout/tensorNames.ts";
import { readBlocks } from "./readBlocks.ts";

/** Divisors of rotary frequencies: one for every pair of a head's channels. */
const MAX_ROPE_FACTORS = 4096;

/**
 * Opens a GGUF model as a checkpoint: tensors by their Hugging Face names with rows in Hugging Face's order, a config made
 * from the metadata. Headers are read, and the small tensors of rotary frequencies; of the weights only what the fingerprint samples.
 * @param path what was opened: the folder or the file
 * @throws KeystoneError gguf/…, checkpoint/read-failed
 */
export async function openGguf(path: string, { folder, files }: GgufFiles): Promise<OpenedFiles> {
  const sources = new Map<string, ClosableSource>();
  try {
    const parts: { file: string; bytes: number; header: GgufHeader }[] = [];
    for (const file of files) {
      const bytes = await sizeOf(folder, file);
      const source = fileSource(join(folder, file), bytes);
      sources.set(file, source);
      parts.push({ file, bytes, header: await readGgufHeader(source) });
    }
    return await checkpointOf(path, folder, parts, sources);
  } catch (thrown) {
    await Promise.all([...sources.values()].map((source) => source.close()));
    throw thrown;
  }
}

async function sizeOf(folder: string, file: string): Promise<number> {
  const found = await stat(join(folder, file)).catch((cause: unknown) => {
    throw readFailedError(file, cause);
  });
  return found.size;
}

async function checkpointOf(
  path: string,
  folder: string,
  parts: readonly { file: string; bytes: number; header: GgufHeader }[],
  sources: ReadonlyMap<string, ClosableSource>,
): Promise<OpenedFiles> {
  const [first] = parts;
  const reader = new MetadataReader(first.header.metadata, first.file);
  requireAllParts(reader, folder, parts);
  const architecture = reader.string("general.architecture");
  if (architecture === null)
    throw ggufError("bad-metadata", { name: first.file }, "names no architecture (general.architecture)");
  const family = familyOfArchitecture(architecture, (key) => reader.commonNumber(`${architecture}.${key}`));
  const form = family?.gguf ?? null;
  const held = new Set(parts.flatMap(({ header }) => header.tensors.map(({ name }) => name)));
  const names = tensorNames(form, held);
  const tensors = new Map<string, StoredTensor>();
  const ropeFactors = new Map<string, readonly number[]>();
  for (const { file, header } of parts) {
    for (const tensor of header.tensors) {
      const source = sources.get(file);
      if (source && isRopeTensor(tensor)) {
        ropeFactors.set(tensor.name, [...(await readBlocks(source, tensor))]);
        continue;
      }
      const name = names.toHuggingFace(tensor.name);
      if (tensors.has(name))
        throw ggufError("duplicate-tensor", { name: file }, `holds tensor ${shown(name)} a second time`);
      const order = form && orderOf(reader, form, name, tensor);
      const onePlus = form?.onePlusNorms === true && isNormWeight({ name, shape: [...tensor.shape] });
      tensors.set(name, { info: ggufTensorInfo(name, tensor, file), tensor, order, onePlus });
    }
  }
  if (tensors.size === 0) throw ggufError("no-tensors", { name: first.file }, "holds no tensor");
  const shapes = new Map([...tensors].map(([name, { tensor }]) => [name, tensor.shape]));
  const config = ggufConfig(reader, { architecture, family, shapes, ropeFactors });
  const shards = parts.map(({ file, bytes }) => ({ file, bytes }));
  const infos = infosOf(tensors);
  const settings = metadataEntries(reader);
  const checkpoint = new GgufCheckpoint({
    ...{ path, config, shards, tensors, sources },
    ...(await identify(folder, config, infos, shards)),
    packing: `GGUF ${typesOf(infos).join(", ")}`,
    notes: [
      describe(first.file, infos),
      ...alreadyQuantized(infos),
      // a folder's tokenizer.json goes before the file's own
      ...((await isRegularFile(join(path, "tokenizer.json"))) ? [] : tokenizerNotes(reader)),
      ...bearingMetadata(settings, first.file),
    ],
  });
  const rope = [...ropeFactors.keys()].map((name): InventoryEntry => ({
    ...{ name, kind: "tensor", usedBy: "rotary frequencies" },
  }));
  // a file that was opened by itself: what lies around it may belong to others
  const around =
    path === folder
      ? await folderEntries(folder, new Set(sources.keys()))
      : [...sources.keys()].map((name): InventoryEntry => ({ name, kind: "file", usedBy: "tensors" }));
  return { files: checkpoint, beside: { entries: [...rope, ...settings, ...around] } };
}

/** @throws KeystoneError gguf/missing-part where the file is one of several by its own word, and its name does not lead to the others */
function requireAllParts(reader: MetadataReader, folder: string, parts: readonly { file: string }[]): void {
  const count = reader.number("split.count");
  const part = reader.number("split.no") ?? 0;
  if (count === null || count <= 1 || (count === parts.length && part === 0)) return;
  const [{ file }] = parts;
  throw new KeystoneError(
    "gguf/missing-part",
    `${file} is part ${part + 1} of ${count} by its own metadata, and its name does not lead to the others.`,
    `Give the parts names of the form NAME-00001-of-${String(count).padStart(5, "0")}.gguf in one folder, and open the first.`,
    { file, folder, parts: count },
  );
}

function isRopeTensor({ name, type, parameters }: GgufTensor): boolean {
  const known: readonly string[] = Object.values(ROPE_TENSORS);
  return known.includes(name) && type.name === "F32" && parameters <= MAX_ROPE_FACTORS;
}

/** Where a tensor's rows lie. @throws KeystoneError gguf/bad-metadata where the heads do not divide the rows */
function orderOf(
  reader: MetadataReader,
  { architecture, interleaved, grouped }: GgufForm,
  name: string,
  { shape }: GgufTensor,
): RowOrder | null {
  const path = modulePath(name);
  if (!interleaved.includes(path) && path !== grouped) return null;
  const heads = reader.commonNumber(`${architecture}.attention.head_count`) ?? NaN;
  const keyHeads = reader.commonNumber(`${architecture}.attention.head_count_kv`) ?? heads;
  const count = path === grouped ? heads + 2 * keyHeads : path.endsWith(".q_proj") ? heads : keyHeads;
  const size = shape[0] / count;
  if (Number.isInteger(size) && size > 0 && size % 2 === 0)
    return path === grouped ? groupsApart(heads, keyHeads, size) : interleavedHeads(size);
  throw ggufError(
    "bad-metadata",
    { name: shown(name) },
    `has ${shape[0]} rows, which ${Number.isNaN(count) ? "no" : count} heads of an even size cannot share`,
  );
}

function ggufTensorInfo(name: string, { type, shape, begin, end }: GgufTensor, file: string): TensorInfo {
  const packed = type.weights > 1;
  // blocks that are read become f32; others are only listed
  const dtype = packed && type.read ? "F32" : type.name;
  return {
    ...tensorInfo(name, shape, dtype, { file, begin, end }),
    ...(packed ? { packed: { scheme: type.name, bitsPerWeight: bitsOfType(type) } } : {}),
  };
}

/** Says of blocks that hold most weights what that makes of every comparison. */
function alreadyQuantized(tensors: ReadonlyMap<string, TensorInfo>): Note[] {
  const weights = new Map<string, { bits: number; count: number }>();
  let all = 0;
  for (const { packed, parameters, linear } of tensors.values()) {
    if (!linear) continue;
    all += parameters;
    if (!packed) continue;
    const { count } = weights.get(packed.scheme) ?? { count: 0 };
    weights.set(packed.scheme, { bits: packed.bitsPerWeight, count: count + parameters });
  }
  const [most] = [...weights].sort(([, a], [, b]) => b.count - a.count);
  const packed = [...weights.values()].reduce((sum, { count }) => sum + count, 0);
  if (!most || packed * 2 <= all) return [];
  const [type, { bits }] = most;
  return [
    {
      code: "checkpoint/already-quantized",
      text: `This model is already quantized (most weights ${type}, ${bits} bits each): its dequantized weights are the original of every comparison, and a recipe quantizes them again.`,
    },
  ];
}

function typesOf(tensors: ReadonlyMap<string, TensorInfo>): string[] {
  return [...new Set([...tensors.values()].map(storedAs))];
}

function describe(file: string, tensors: ReadonlyMap<string, TensorInfo>): Note {
  const unread = [...tensors.values()].some(({ dtype }) => !isStorageType(dtype));
  const rest = unread ? " Those that Keystone does not read are listed only." : "";
  return {
    code: "gguf/types",
    text: `A GGUF file (${file}) with tensors of type ${typesOf(tensors).join(", ")}.${rest}`,
  };
}
