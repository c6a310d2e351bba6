import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";
import type { Io } from "../output/io.ts";
import { usageError } from "./reportError.ts";
import { ownTextFile } from "./root.ts";

/** A recipe or plan longer than this, in bytes, is something else: 100,000 listed recipes stay well below. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** The path as an absolute one, seen from where the command was typed. */
export function absolute(io: Io, path: string): string {
  return resolve(io.cwd, path);
}

/**
 * A file that must be there.
 * @throws KeystoneError usage/no-such-file
 */
export async function existingFile(io: Io, path: string, what: string): Promise<string> {
  const full = absolute(io, path);
  const found = await stat(full).catch(() => null);
  if (found?.isFile()) return full;
  const problem = found ? "is a folder, not a file" : "does not exist";
  throw new KeystoneError(
    "usage/no-such-file",
    `The ${what} ${full} ${problem}.`,
    "Check the path and run the command again.",
    {
      path: full,
    },
  );
}

/**
 * A file or folder that must be there.
 * @throws KeystoneError usage/no-such-file
 */
export async function existingPath(io: Io, path: string, what: string): Promise<string> {
  const full = absolute(io, path);
  if ((await stat(full).catch(() => null))?.isDirectory()) return full;
  return existingFile(io, path, what);
}

/**
 * Reads a JSON file that a person wrote.
 * @throws KeystoneError usage/no-such-file, usage/not-json
 */
export async function readJsonFile(io: Io, path: string, what: string): Promise<unknown> {
  const full = await existingFile(io, path, what);
  const { size } = await stat(full);
  if (size > MAX_JSON_BYTES) {
    throw new KeystoneError(
      "usage/not-json",
      `The ${what} ${full} has ${size.toLocaleString("en-US")} bytes; at most ${MAX_JSON_BYTES.toLocaleString("en-US")} are read.`,
      `Give a ${what} written as JSON.`,
    );
  }
  const text = decodeUtf8(await readFile(full), full, what);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeystoneError(
      "usage/not-json",
      `The ${what} ${full} is not valid JSON: ${reason}.`,
      "Correct the file and run the command again.",
      { path: full },
      { cause },
    );
  }
}

/** A recipe file, checked whole. */
export async function readRecipe(io: Io, path: string): Promise<Recipe> {
  return parseRecipe(await readJsonFile(io, path, "recipe"), basename(path));
}

/** The calibration text that was named, as the studio is asked with it; where none was, the studio looks for one. */
export async function namedCalibration(io: Io, named: string | undefined): Promise<{ calibration?: string }> {
  return named === undefined ? {} : { calibration: await existingFile(io, named, "calibration text") };
}

/** `--text builtin`: the text that ships with the program; a file of that name is `./builtin`. */
const BUILTIN = "builtin";

/**
 * The text that was named: a file, or the one that ships with the program.
 * @throws KeystoneError usage/no-such-file
 */
export async function namedText(io: Io, named: string): Promise<string> {
  if (named !== BUILTIN) return existingFile(io, named, "text");
  const own = ownTextFile();
  if (own !== null) return own;
  throw new KeystoneError(
    "usage/no-such-file",
    "Keystone's own text (resources/texts) is not in this copy of Keystone.",
    "Name a file with --text.",
  );
}

/**
 * The text to score on: the one named, else `eval.jsonl` in the model's folder or in the folder around it.
 * @throws KeystoneError usage/no-such-file, usage/arguments
 */
export async function textFor(io: Io, named: string | undefined, model: string): Promise<string> {
  if (named !== undefined) return namedText(io, named);
  const folder = absolute(io, model);
  if (!existsSync(folder)) throw usageError(`${folder} does not exist.`, "Check the path of the checkpoint.");
  const beside = [join(folder, "eval.jsonl"), join(dirname(folder), "eval.jsonl")].find((path) =>
    existsSync(path),
  );
  if (beside !== undefined) return beside;
  throw usageError(
    `No text was named, and there is no eval.jsonl in ${folder} or in the folder around it.`,
    'Name one with --text FILE (plain text, or rows with a column "text": .jsonl, .csv, .parquet), or take the one that ships with Keystone: --text builtin.',
  );
}

function decodeUtf8(bytes: Uint8Array, path: string, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KeystoneError(
      "usage/not-json",
      `The ${what} ${path} is not UTF-8 text.`,
      "Save it as UTF-8.",
      { path },
      { cause },
    );
  }
}
