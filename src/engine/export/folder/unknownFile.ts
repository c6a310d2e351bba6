import { join } from "node:path";
import { onDisk } from "#engine/files/output/diskErrors.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { manifest } from "../manifest/manifest.ts";
import { readJson } from "#engine/files/output/readJson.ts";

/** Present in every finished export, and names every other file of it. */
export const MANIFEST_FILE = "keystone.json";

/** All that is asked of a keystone.json here, so that exports of other versions count too. */
const fileList = manifest.pick({ manifestVersion: true, files: true });

/** What file managers leave in a folder that was looked at; nobody's work. */
const TRACES = new Set([".DS_Store", "Thumbs.db", "desktop.ini"]);

/**
 * Something in a folder that no export wrote: what its keystone.json does not name, or the missing or unreadable
 * keystone.json itself; null where the folder is an export and nothing else.
 * @throws KeystoneError export/…
 */
export async function unknownFile(fileSystem: FileSystem, folder: string): Promise<string | null> {
  return onDisk({ doing: "looking into the folder", path: folder }, async () => {
    const path = join(folder, MANIFEST_FILE);
    if ((await fileSystem.stat(path))?.kind !== "file") return MANIFEST_FILE;
    const record = fileList.safeParse(await readJson(fileSystem, path));
    if (!record.success) return MANIFEST_FILE;
    const known = new Set([MANIFEST_FILE, ...record.data.files.map((file) => file.path)]);
    return firstForeign(fileSystem, folder, "", known);
  });
}

async function firstForeign(
  fileSystem: FileSystem,
  folder: string,
  inside: string,
  known: ReadonlySet<string>,
): Promise<string | null> {
  for (const name of (await fileSystem.list(join(folder, inside))).toSorted()) {
    const path = inside === "" ? name : `${inside}/${name}`;
    if (known.has(path) || TRACES.has(name)) continue;
    const isFolder = (await fileSystem.stat(join(folder, path)))?.kind === "folder";
    const holdsKnown = isFolder && [...known].some((file) => file.startsWith(`${path}/`));
    if (!holdsKnown) return path;
    const found = await firstForeign(fileSystem, folder, path, known);
    if (found !== null) return found;
  }
  return null;
}
