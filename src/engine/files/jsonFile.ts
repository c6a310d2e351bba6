import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { readFailedError } from "./byteSource.ts";
import { parsePythonJson } from "./pythonJson.ts";

export interface JsonFileRules {
  /** A longer file is refused before it is read. */
  readonly maxBytes: number;
  /** Error code when the content is wrong, e.g. `checkpoint/bad-config`. */
  readonly badCode: string;
  /** Error code when there is no such file. */
  readonly missingCode?: string;
  /** Whether numbers may be spelled as Python's json writes them: NaN, Infinity, -Infinity. */
  readonly python?: boolean;
}

/**
 * A JSON file of a checkpoint whose top level is an object. UTF-8; a byte order mark is allowed.
 * @throws KeystoneError `badCode`, `missingCode` (checkpoint/missing-file), checkpoint/not-a-file, checkpoint/read-failed
 */
export async function readJsonObject(path: string, rules: JsonFileRules): Promise<Record<string, unknown>> {
  const file = basename(path);
  const bytes = await readSmallFile(path, rules);
  const bad = (sentence: string, cause?: unknown) =>
    new KeystoneError(
      rules.badCode,
      `${file} ${sentence}.`,
      "Download this file of the checkpoint again.",
      { file },
      { cause },
    );
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = rules.python === true ? parsePythonJson(text) : JSON.parse(text);
  } catch (cause) {
    throw bad(bytes.byteLength === 0 ? "is empty" : "is not valid JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("is not a JSON object");
  return value as Record<string, unknown>;
}

async function readSmallFile(
  path: string,
  { maxBytes, badCode, missingCode }: JsonFileRules,
): Promise<Uint8Array> {
  const file = basename(path);
  try {
    const found = await stat(path);
    if (!found.isFile()) {
      throw new KeystoneError(
        "checkpoint/not-a-file",
        `${file} in ${dirname(path)} is not a regular file.`,
        "Put the checkpoint's own file in its place.",
        { file },
      );
    }
    if (found.size > maxBytes) {
      throw new KeystoneError(
        badCode,
        `${file} holds ${found.size} bytes; at most ${maxBytes} are read.`,
        "It is damaged or not what its name says: download it again.",
        { file, bytes: found.size, allowed: maxBytes },
      );
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof KeystoneError) throw cause;
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new KeystoneError(
        missingCode ?? "checkpoint/missing-file",
        `${dirname(path)} holds no ${file}.`,
        "Choose the folder of a Hugging Face checkpoint, or download the file into it.",
        { file },
        { cause },
      );
    }
    throw readFailedError(file, cause);
  }
}
