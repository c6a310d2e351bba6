import type { Note } from "#shared/notes.ts";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { UnusedReason } from "#shared/inventory.ts";
import { readFailedError } from "#engine/files/byteSource.ts";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { shown } from "#engine/files/strictJson.ts";

export const INDEX_FILE = "model.safetensors.index.json";
const SINGLE_FILE = "model.safetensors";
/** An index names each tensor once; 100 MB is a million of them. */
const MAX_INDEX_BYTES = 100_000_000;

/** The weight files of a checkpoint, before any of them was opened. */
export interface ShardList {
  /** Plain names inside the folder, sorted. */
  readonly files: readonly string[];
  /** Tensor → file as the index says; null where no index is followed. */
  readonly weightMap: ReadonlyMap<string, string> | null;
  readonly notes: readonly Note[];
  /** Files that another one was preferred to. */
  readonly passedOver?: ReadonlyMap<string, UnusedReason>;
}

/**
 * Finds the weight files of a folder in transformers' order: model.safetensors, else those the index names, else the only
 * *.safetensors there.
 * @throws KeystoneError checkpoint/no-weights, no-index, bad-index, outside-folder
 */
export async function findShards(folder: string): Promise<ShardList> {
  const present = await readdir(folder);
  const indexed = present.includes(INDEX_FILE);
  if (present.includes(SINGLE_FILE)) return indexed ? singleBesideIndex(folder, present) : single(present);
  if (indexed) return shardsOfIndex(folder);

  const weights = weightsOf(present);
  if (weights.length > 1) {
    throw new KeystoneError(
      "checkpoint/no-index",
      `${folder} holds ${weights.length} safetensors files but no ${INDEX_FILE} that says which belong to the model.`,
      `Download ${INDEX_FILE} of this checkpoint into the folder.`,
      { folder, files: weights.length },
    );
  }
  if (weights.length === 0) throw noWeightsError(folder, present);
  return {
    files: weights,
    weightMap: null,
    notes: [
      { code: "checkpoint/other-file", text: `The weights are in ${weights[0]} instead of ${SINGLE_FILE}.` },
    ],
  };
}

function weightsOf(present: readonly string[]): string[] {
  return present.filter((name) => name.endsWith(".safetensors") && !name.startsWith("adapter_")).sort();
}

/** The one file, whatever shards of an earlier save lie around it. */
function single(present: readonly string[], index: readonly string[] = []): ShardList {
  const others = [...index, ...weightsOf(present).filter((name) => name !== SINGLE_FILE)];
  const reason = { code: "passed-over", text: `${SINGLE_FILE} is read before it, as in transformers` };
  return {
    files: [SINGLE_FILE],
    weightMap: null,
    notes:
      others.length === 0
        ? []
        : [
            {
              code: "checkpoint/passed-over",
              text: `${SINGLE_FILE} holds the weights that are read, as in transformers; passed over: ${others.slice(0, 3).join(", ")}${others.length > 3 ? ` and ${others.length - 3} more` : ""}.`,
            },
          ],
    passedOver: new Map(others.map((name) => [name, reason])),
  };
}

/** An index beside the single file is followed where it names that file alone; what else it says is out of date. */
async function singleBesideIndex(folder: string, present: readonly string[]): Promise<ShardList> {
  try {
    const index = await shardsOfIndex(folder);
    if (index.files.length === 1 && index.files[0] === SINGLE_FILE) return index;
  } catch (error) {
    const harmless = error instanceof KeystoneError && error.code !== "checkpoint/outside-folder";
    if (!harmless) throw error;
  }
  return single(present, [INDEX_FILE]);
}

function noWeightsError(folder: string, present: readonly string[]): KeystoneError {
  const other = present.find((name) => /\.(bin|pt|pth|ckpt|gguf|onnx|h5|msgpack)$/.test(name));
  if (other !== undefined && /\.(bin|pt|pth|ckpt)$/.test(other)) throw pickledError(folder, other);
  return new KeystoneError(
    "checkpoint/no-weights",
    `${folder} holds no safetensors file${other ? ` (only ${shown(other)})` : ""}.`,
    other
      ? "Keystone reads safetensors only: download the safetensors files of this model, or convert it with transformers' save_pretrained."
      : `Choose the folder that holds ${SINGLE_FILE} or ${INDEX_FILE}.`,
    { folder, found: other ?? null },
  );
}

/** Weights as Python's pickle, which is a program that runs when it is opened. */
function pickledError(folder: string, found: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/no-weights",
    `${folder} holds its weights as ${shown(found)}, a pickle, which runs code when it is opened: Keystone opens none.`,
    `If you trust it, convert it once with python -c "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; a, b = r'${folder}', r'${folder}-safetensors'; M.from_pretrained(a, dtype='auto').save_pretrained(b); T.from_pretrained(a).save_pretrained(b)" and open that folder.`,
    { folder, found },
  );
}

async function shardsOfIndex(folder: string): Promise<ShardList> {
  const index = await readJsonObject(join(folder, INDEX_FILE), {
    maxBytes: MAX_INDEX_BYTES,
    badCode: "checkpoint/bad-index",
  });
  const map = index["weight_map"];
  if (typeof map !== "object" || map === null || Array.isArray(map)) throw badIndexError("has no weight_map");
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of Object.entries(map as Record<string, unknown>)) {
    if (typeof file !== "string") throw badIndexError(`names no file for tensor ${shown(tensor)}`);
    checkPlainName(file, tensor);
    weightMap.set(tensor, file);
  }
  if (weightMap.size === 0) throw badIndexError("names no tensor");
  return { files: [...new Set(weightMap.values())].sort(), weightMap, notes: [] };
}

function badIndexError(what: string): KeystoneError {
  return new KeystoneError(
    "checkpoint/bad-index",
    `${INDEX_FILE} ${what}.`,
    "Download the index of this checkpoint again.",
    { file: INDEX_FILE },
  );
}

/** A shard is a file of the folder itself. It may be a link there, as in Hugging Face's cache; its name may not lead elsewhere. */
function checkPlainName(file: string, tensor: string): void {
  const plain = file.endsWith(".safetensors") && !/[/\\:\0]/.test(file) && !file.startsWith(".");
  if (plain) return;
  throw new KeystoneError(
    "checkpoint/outside-folder",
    `${INDEX_FILE} puts tensor ${shown(tensor)} into ${shown(file)}, which is not the plain name of a safetensors file in this folder.`,
    "Do not trust this checkpoint; download it again from where it was published.",
    { file, tensor },
  );
}

/**
 * Size of a shard in bytes; links are followed.
 * @throws KeystoneError checkpoint/missing-shard, checkpoint/not-a-file, checkpoint/read-failed
 */
export async function shardSize(folder: string, file: string): Promise<number> {
  const found = await stat(join(folder, file)).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new KeystoneError(
        "checkpoint/missing-shard",
        `${file} is not in ${folder}.`,
        "Download the missing file into the folder.",
        { file, folder },
        { cause },
      );
    }
    throw readFailedError(file, cause);
  });
  if (found.isFile()) return found.size;
  throw new KeystoneError(
    "checkpoint/not-a-file",
    `${file} in ${folder} is ${found.isDirectory() ? "a folder" : "not a regular file"}.`,
    "Put the checkpoint's own file in its place.",
    { file, folder },
  );
}
