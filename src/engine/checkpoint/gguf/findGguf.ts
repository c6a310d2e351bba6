import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { KeystoneError } from "#shared/errors.ts";

/** The GGUF files of one model: one, or all parts of a split one. */
export interface GgufFiles {
  readonly folder: string;
  readonly files: readonly string[];
}

/** llama.cpp's names for the parts of a split model. */
const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;
/** Image encoders and the like, which lie beside the model they belong to. */
const COMPANION = /(^|[-_.])mmproj[-_.]/i;

/**
 * The GGUF model at a path: a `.gguf` file itself (any part of a split one), or the one in a folder without safetensors files.
 * Null where there is none.
 * @throws KeystoneError gguf/several, gguf/missing-part
 */
export async function findGguf(path: string): Promise<GgufFiles | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() === true) {
    if (!/\.gguf$/i.test(path)) return null;
    const folder = dirname(path);
    return { folder, files: await partsOf(folder, basename(path)) };
  }
  if (found?.isDirectory() !== true) return null;
  const names = (await readdir(path)).sort();
  const models = names.filter((name) => /\.gguf$/i.test(name) && !COMPANION.test(name));
  if (models.length === 0 || names.some((name) => name.endsWith(".safetensors"))) return null;
  const firsts = models.filter((name) => Number(PART.exec(name)?.[2] ?? 1) === 1);
  if (firsts.length > 1)
    throw new KeystoneError(
      "gguf/several",
      `${path} holds ${firsts.length} GGUF models.`,
      `Open one of the files itself, for example ${join(path, firsts[0] ?? "")}.`,
      { folder: path, files: firsts.length },
    );
  return { folder: path, files: await partsOf(path, firsts[0] ?? models[0] ?? "") };
}

async function partsOf(folder: string, file: string): Promise<string[]> {
  const [, stem, , count] = PART.exec(file) ?? [];
  if (stem === undefined) return [file];
  const present = new Set(await readdir(folder));
  const files = Array.from(
    { length: Number(count) },
    (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.gguf`,
  );
  const missing = files.find((name) => !present.has(name));
  if (missing === undefined) return files;
  throw new KeystoneError(
    "gguf/missing-part",
    `${missing} is not in ${folder}; the model is split into ${Number(count)} files.`,
    "Download the missing file into the folder.",
    { file: missing, folder },
  );
}
