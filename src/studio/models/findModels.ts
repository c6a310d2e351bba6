import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FoundModel } from "#shared/contract/contract.ts";
import { isCompanion, isFirstPart } from "#engine/formats/gguf/read/findGguf.ts";
import type { ModelCache } from "./modelCaches.ts";

/** More models than this are not listed: nobody reads them. */
const MOST_FOUND = 200;
/** LM Studio keeps publisher/model/file; deeper folders are not looked into. */
const DEPTH = 3;
const HUB_MODEL = /^models--(.+)$/;

/** The models in caches that exist, by name; nothing in them is opened. A cache that cannot be read holds none. */
export async function findModels(caches: readonly ModelCache[]): Promise<FoundModel[]> {
  const found = await Promise.all(
    caches.map((cache) => (cache.layout === "hub" ? inHub(cache) : inFolder(cache, cache.folder, DEPTH))),
  );
  const byPath = new Map(found.flat().map((model) => [model.path, model]));
  return [...byPath.values()]
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }))
    .slice(0, MOST_FOUND);
}

/** Every `models--owner--name`, as the revision that its `main` names, else the newest. */
async function inHub(cache: ModelCache): Promise<FoundModel[]> {
  const entries = await list(cache.folder);
  const models = entries.filter((entry) => entry.isDirectory() && HUB_MODEL.test(entry.name));
  const found = await Promise.all(
    models.map(async ({ name }) => {
      const snapshot = await snapshotOf(join(cache.folder, name));
      const title = (HUB_MODEL.exec(name)?.[1] ?? name).replaceAll("--", "/");
      return snapshot === null ? [] : inSnapshot(cache, snapshot, title);
    }),
  );
  return found.flat();
}

async function snapshotOf(repository: string): Promise<string | null> {
  const snapshots = join(repository, "snapshots");
  const names = (await list(snapshots)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const main = await readFile(join(repository, "refs", "main"), "utf8").catch(() => "");
  if (names.includes(main.trim())) return join(snapshots, main.trim());
  const dated = await Promise.all(
    names.map(async (name) => ({ name, time: (await stat(join(snapshots, name))).mtimeMs })),
  );
  const newest = dated.sort((a, b) => b.time - a.time)[0];
  return newest ? join(snapshots, newest.name) : null;
}

/** A checkpoint of safetensors files is the folder; each GGUF file is a model of its own. */
async function inSnapshot(cache: ModelCache, folder: string, title: string): Promise<FoundModel[]> {
  const names = (await list(folder)).map(({ name }) => name);
  const weights = names.filter((name) => name.endsWith(".safetensors"));
  if (names.includes("config.json") && weights.length > 0) {
    const bytes = await totalBytes(folder, weights);
    return bytes === null
      ? []
      : [{ path: folder, name: title, owner: cache.owner, form: "safetensors", bytes }];
  }
  return ggufFiles(cache, folder, names, (file) => `${title}/${file}`);
}

async function inFolder(cache: ModelCache, folder: string, depth: number): Promise<FoundModel[]> {
  const entries = await list(folder);
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const own = await ggufFiles(cache, folder, files, (file) => file);
  const folders = depth > 1 ? entries.filter((entry) => entry.isDirectory()) : [];
  const deeper = await Promise.all(folders.map(({ name }) => inFolder(cache, join(folder, name), depth - 1)));
  return [...own, ...deeper.flat()];
}

/** One model for each GGUF file, or for all parts of a split one; image encoders belong to another. */
async function ggufFiles(
  cache: ModelCache,
  folder: string,
  names: readonly string[],
  titled: (file: string) => string,
): Promise<FoundModel[]> {
  const files = names.filter((name) => /\.gguf$/i.test(name) && !isCompanion(name));
  const found = await Promise.all(
    files.filter(isFirstPart).map(async (file): Promise<FoundModel[]> => {
      const stem = file.replace(/-00001-of-\d{5}\.gguf$/i, "");
      const parts = stem === file ? [file] : files.filter((name) => name.startsWith(`${stem}-`));
      const bytes = await totalBytes(folder, parts);
      if (bytes === null) return [];
      const name = titled(file.replace(/(-00001-of-\d{5})?\.gguf$/i, ""));
      return [{ path: join(folder, file), name, owner: cache.owner, form: "GGUF", bytes }];
    }),
  );
  return found.flat();
}

/** Null where one is not there: a link to a file that was removed, a download that was broken off. */
async function totalBytes(folder: string, names: readonly string[]): Promise<number | null> {
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => null,
      ),
    ),
  );
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}

async function list(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
}
