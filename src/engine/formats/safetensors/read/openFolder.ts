import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { asFamily } from "#engine/inventory/unknownFamily.ts";
import { KeystoneError } from "#shared/errors.ts";
import { fileSource, readFailedError } from "#engine/files/byteSource.ts";
import { infosOf, type ListedTensor } from "#engine/checkpoint/fileCheckpoint.ts";
import { identify } from "#engine/checkpoint/fingerprint.ts";
import { FolderCheckpoint } from "./folderCheckpoint.ts";
import { folderEntries } from "#engine/checkpoint/folderFiles.ts";
import type { OpenedFiles } from "#engine/checkpoint/openedFiles.ts";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { openPacked } from "../../packed/read/openPacked.ts";
import { readHeader, type HeaderEntry } from "./readHeader.ts";
import { findShards, INDEX_FILE, shardSize } from "#engine/checkpoint/shardFiles.ts";
import { shown } from "#engine/files/strictJson.ts";
import { tensorInfo } from "#engine/checkpoint/tensorInfo.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

const MAX_CONFIG_BYTES = 16_000_000;

/**
 * A Hugging Face folder: config.json and every shard's header. A shard stays closed until something is read from it.
 * @param as the family that it is taken for, whatever config.json names
 * @throws KeystoneError checkpoint/…, safetensors/…
 */
export async function openFolder(path: string, as?: string): Promise<OpenedFiles> {
  await checkFolder(path);
  const config = await readJsonObject(join(path, "config.json"), {
    maxBytes: MAX_CONFIG_BYTES,
    badCode: "checkpoint/bad-config",
    python: true,
  });
  const { files, weightMap, notes, passedOver } = await findShards(path);
  const { tensors, shards, disagreements } = await readShards(path, files, weightMap);
  if (tensors.size === 0) {
    throw new KeystoneError(
      "checkpoint/no-tensors",
      `The safetensors files in ${path} hold no tensor.`,
      "Download the checkpoint again.",
      { folder: path },
    );
  }
  const folder = new FolderCheckpoint({
    ...{ path, config: as === undefined ? config : asFamily(config, as), shards, notes },
    ...(await identify(path, config, infosOf(tensors), shards)),
    sharded: weightMap !== null,
    tensors,
    sources: new Map(shards.map(({ file, bytes }) => [file, fileSource(join(path, file), bytes)])),
  });
  const weights = new Set([...files, ...(weightMap ? [INDEX_FILE] : [])]);
  const entries = await folderEntries(path, weights, passedOver);
  return { files: await unpacked(folder), beside: { disagreements, entries } };
}

interface ReadShards {
  readonly tensors: Map<string, ListedTensor>;
  readonly shards: { file: string; bytes: number }[];
  /** Tensors that the index and the shards disagree on. */
  readonly disagreements: Map<string, KeystoneError>;
}

/** Whether what an index and its shards disagree on is needed shows later, when the model is known. */
async function readShards(
  path: string,
  files: readonly string[],
  weightMap: ReadonlyMap<string, string> | null,
): Promise<ReadShards> {
  const tensors = new Map<string, ListedTensor>();
  const shards: { file: string; bytes: number }[] = [];
  const disagreements = new Map<string, KeystoneError>();
  for (const file of files) {
    const bytes = await sizeOrMissing(path, file);
    if (bytes instanceof KeystoneError) {
      for (const [name, place] of weightMap ?? []) if (place === file) disagreements.set(name, bytes);
      // without an index this is all there was
      if (files.length === 1) throw bytes;
      continue;
    }
    shards.push({ file, bytes });
    for (const { name, shape, dtype, begin, end } of await entriesOf(join(path, file), bytes)) {
      const wrongPlace = misplaced(name, file, weightMap);
      if (wrongPlace) disagreements.set(name, wrongPlace);
      if (wrongPlace === null || !tensors.has(name))
        tensors.set(name, { info: tensorInfo(name, shape, dtype, { file, begin, end }) });
    }
  }
  for (const [name, file] of weightMap ?? [])
    if (!tensors.has(name) && !disagreements.has(name)) disagreements.set(name, notInShardError(name, file));
  return { tensors, shards, disagreements };
}

async function sizeOrMissing(path: string, file: string): Promise<number | KeystoneError> {
  return shardSize(path, file).catch((error: unknown) => {
    if (error instanceof KeystoneError && error.code === "checkpoint/missing-shard") return error;
    throw error;
  });
}

/** The checkpoint itself, or where its weights are packed in a way that Keystone reads, the model that was packed. */
async function unpacked(folder: FolderCheckpoint): Promise<Checkpoint> {
  try {
    return await openPacked(folder);
  } catch (thrown) {
    await folder.close();
    throw thrown;
  }
}

async function checkFolder(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new KeystoneError(
        "checkpoint/no-such-folder",
        `${path} does not exist.`,
        "Check the path of the checkpoint.",
        { folder: path },
        { cause },
      );
    }
    throw readFailedError(path, cause);
  });
  if (!found.isDirectory()) {
    throw new KeystoneError(
      "checkpoint/not-a-folder",
      `${path} is not a folder.`,
      "Choose the folder that holds config.json and the safetensors files.",
      { folder: path },
    );
  }
  const present = await readdir(path);
  if (!present.includes("config.json") && present.includes("snapshots")) {
    throw new KeystoneError(
      "checkpoint/missing-file",
      `${path} is an entry of Hugging Face's cache, not a checkpoint.`,
      "Choose one of the folders inside its snapshots folder.",
      { file: "config.json" },
    );
  }
}

async function entriesOf(path: string, bytes: number): Promise<readonly HeaderEntry[]> {
  const source = fileSource(path, bytes);
  try {
    return (await readHeader(source)).entries;
  } finally {
    await source.close();
  }
}

/** What is wrong with a tensor's place by the index; null where nothing is. */
function misplaced(
  name: string,
  file: string,
  weightMap: ReadonlyMap<string, string> | null,
): KeystoneError | null {
  const expected = weightMap?.get(name);
  if (weightMap === null || expected === file) return null;
  return new KeystoneError(
    "checkpoint/index-mismatch",
    `${file} holds tensor ${shown(name)}, which the index ${expected === undefined ? "does not name" : `puts into ${expected}`}.`,
    "The index and the shards do not belong together: download the checkpoint again.",
    { file, tensor: name, expected: expected ?? null },
  );
}

function notInShardError(name: string, file: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/index-mismatch",
    `The index puts tensor ${shown(name)} into ${file}, but it is not there.`,
    "The index and the shards do not belong together: download the checkpoint again.",
    { file, tensor: name, expected: file },
  );
}
