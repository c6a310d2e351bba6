import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { fileSource, readFailedError } from "./byteSource.ts";
import { infosOf, type ListedTensor } from "./fileCheckpoint.ts";
import { identify } from "./fingerprint.ts";
import { FolderCheckpoint } from "./folderCheckpoint.ts";
import { findGguf } from "./gguf/findGguf.ts";
import { openGguf } from "./gguf/openGguf.ts";
import { readJsonObject } from "./jsonFile.ts";
import { holdsOnnx, openOnnx } from "./onnx/openOnnx.ts";
import { openPacked } from "./packed/openPacked.ts";
import { readHeader, type HeaderEntry } from "./readHeader.ts";
import { findShards, shardSize } from "./shardFiles.ts";
import { shown } from "./strictJson.ts";
import { tensorInfo } from "./tensorInfo.ts";
import type { Checkpoint } from "./types.ts";

const MAX_CONFIG_BYTES = 16_000_000;

/**
 * Opens a model: a Hugging Face folder, a folder with a GGUF file or an ONNX decoder, or a `.gguf` file itself. Reads config and
 * headers and checks them against each other and against the files' sizes; of the weights a few bytes a tensor are read, to know
 * the model by.
 * @throws KeystoneError checkpoint/…, safetensors/…, gguf/… and onnx/…
 */
export async function openCheckpoint(location: string): Promise<Checkpoint> {
  const path = resolve(location);
  const gguf = await findGguf(path);
  if (gguf) return openGguf(path, gguf);
  return (await holdsOnnx(path)) ? openOnnx(path) : openFolder(path);
}

/** A Hugging Face folder: config.json and every shard's header. A shard stays closed until something is read from it. */
async function openFolder(path: string): Promise<Checkpoint> {
  await checkFolder(path);
  const config = await readJsonObject(join(path, "config.json"), {
    maxBytes: MAX_CONFIG_BYTES,
    badCode: "checkpoint/bad-config",
  });
  const { files, weightMap, notes } = await findShards(path);

  const tensors = new Map<string, ListedTensor>();
  const shards: { file: string; bytes: number }[] = [];
  for (const file of files) {
    const bytes = await shardSize(path, file);
    shards.push({ file, bytes });
    for (const entry of await entriesOf(join(path, file), bytes)) {
      checkAgainstIndex(entry.name, file, weightMap);
      const { name, shape, dtype, begin, end } = entry;
      tensors.set(name, { info: tensorInfo(name, shape, dtype, { file, begin, end }) });
    }
  }
  for (const [name, file] of weightMap ?? []) if (!tensors.has(name)) throw notInShardError(name, file);
  if (tensors.size === 0) {
    throw new KeystoneError(
      "checkpoint/no-tensors",
      `The safetensors files in ${path} hold no tensor.`,
      "Download the checkpoint again.",
      { folder: path },
    );
  }
  const folder = new FolderCheckpoint({
    ...{ path, config, shards, notes },
    ...(await identify(path, config, infosOf(tensors), shards)),
    sharded: weightMap !== null,
    tensors,
    sources: new Map(shards.map(({ file, bytes }) => [file, fileSource(join(path, file), bytes)])),
  });
  return unpacked(folder);
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

function checkAgainstIndex(name: string, file: string, weightMap: ReadonlyMap<string, string> | null): void {
  const expected = weightMap?.get(name);
  if (weightMap === null || expected === file) return;
  throw new KeystoneError(
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
