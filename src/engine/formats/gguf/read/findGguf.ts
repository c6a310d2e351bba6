import { open, readdir, realpath, stat } from "node:fs/promises";
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
const MAGIC = "GGUF";

/**
 * The GGUF model at a path: a GGUF file itself (any part of a split one), by its ending or by its first bytes, or the one in a
 * folder without safetensors files. Links are followed to read a file; its parts are looked for beside the link, and where the
 * link's name is no part's, beside the file. Null where there is none.
 * @throws KeystoneError gguf/several, gguf/missing-part
 */
export async function findGguf(path: string): Promise<GgufFiles | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile() === true) {
    if (!/\.gguf$/i.test(path) && !(await beginsAsGguf(path))) return null;
    return filesOf(path);
  }
  if (found?.isDirectory() !== true) return null;
  const names = (await readdir(path)).sort();
  const models = names.filter((name) => /\.gguf$/i.test(name) && !isCompanion(name));
  if (models.length === 0 || names.some((name) => name.endsWith(".safetensors"))) return null;
  const firsts = models.filter(isFirstPart);
  if (firsts.length > 1)
    throw new KeystoneError(
      "gguf/several",
      `${path} holds ${firsts.length} GGUF models.`,
      `Open one of the files itself, for example ${join(path, firsts[0] ?? "")}.`,
      { folder: path, files: firsts.length },
    );
  return filesOf(join(path, firsts[0] ?? models[0] ?? ""));
}

/** Whether a file's name is that of an image encoder or the like, which belongs to a model beside it. */
export function isCompanion(name: string): boolean {
  return COMPANION.test(name);
}

/** Whether a file is a model of its own or the first part of a split one, by its name. */
export function isFirstPart(name: string): boolean {
  return Number(PART.exec(name)?.[2] ?? 1) === 1;
}

/** The file, or where it is a part by its own name or by that of the file behind a link, all parts. */
async function filesOf(path: string): Promise<GgufFiles> {
  const place = { folder: dirname(path), file: basename(path) };
  if (PART.test(place.file)) return partsOf(place.folder, place.file);
  const real = await realpath(path).catch(() => path);
  if (PART.test(basename(real))) return partsOf(dirname(real), basename(real));
  return { folder: place.folder, files: [place.file] };
}

async function partsOf(folder: string, file: string): Promise<GgufFiles> {
  const [, stem = "", , count = "0"] = PART.exec(file) ?? [];
  const present = new Set(await readdir(folder));
  const files = Array.from(
    { length: Number(count) },
    (_, i) => `${stem}-${String(i + 1).padStart(5, "0")}-of-${count}.gguf`,
  );
  const missing = files.find((name) => !present.has(name));
  if (missing === undefined) return { folder, files };
  throw new KeystoneError(
    "gguf/missing-part",
    `${missing} is not in ${folder}; the model is split into ${Number(count)} files.`,
    "Download the missing file into the folder.",
    { file: missing, folder },
  );
}

async function beginsAsGguf(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.toString("latin1") === MAGIC;
  } finally {
    await file.close();
  }
}
