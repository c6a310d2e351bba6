import type { Dirent } from "node:fs";
import { access as canAccess, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { FolderListing } from "#shared/contract/contract.ts";
import { KeystoneError } from "#shared/errors.ts";
import { endingOf, TEXT_ENDINGS } from "#shared/texts.ts";
import type { Access } from "./access.ts";

/** Endings of files that a person can choose somewhere in Keystone. */
const SHOWN: readonly string[] = [...TEXT_ENDINGS, "keystone-plan", "gguf"];
/** A model in one file. */
const MODEL_FILE = /\.gguf$/i;
/** More entries than this help nobody and slow the window down. */
const MAX_ENTRIES = 2_000;

/**
 * What lies in a folder, folders first; hidden entries and files of no use here are left out. Without a path: the
 * allowed folders themselves, or the home folder where everything is allowed.
 * @throws KeystoneError access/outside, access/unreadable
 */
export async function listFolder(access: Access, path: string | null): Promise<FolderListing> {
  const { roots } = access;
  if (path === null && roots !== null) {
    if (roots.length !== 1) {
      return {
        path: "",
        parent: null,
        entries: await Promise.all(roots.map((root) => folderEntry(root, basename(root) || root))),
      };
    }
    path = roots[0] ?? null;
  }
  const folder = access.check(path ?? homedir());
  const found = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
  const kept = found.filter((entry) => !entry.name.startsWith(".")).slice(0, MAX_ENTRIES);
  const entries = await Promise.all(kept.map((entry) => describe(access, folder, entry)));
  const parent = dirname(folder);
  return {
    path: folder,
    parent: parent !== folder && access.allows(parent) ? parent : null,
    entries: entries
      .flat()
      .sort(
        (a, b) => a.kind.localeCompare(b.kind) * -1 || a.name.localeCompare(b.name, "en", { numeric: true }),
      ),
  };
}

type Entry = FolderListing["entries"][number];

/** The entry as shown, or nothing: links that lead out or nowhere, sockets, other files. */
async function describe(access: Access, folder: string, { name }: Dirent): Promise<Entry[]> {
  const path = join(folder, name);
  if (!access.allows(path)) return [];
  const facts = await stat(path).catch(() => null);
  if (facts?.isDirectory()) return [await folderEntry(path, name)];
  if (facts?.isFile() && SHOWN.includes(endingOf(name)))
    return [{ name, path, kind: "file", model: MODEL_FILE.test(name), bytes: facts.size }];
  return [];
}

async function folderEntry(path: string, name: string): Promise<Entry> {
  const configured = await canAccess(join(path, "config.json")).then(
    () => true,
    () => false,
  );
  const names = configured ? [] : await readdir(path).catch((): string[] => []);
  const model = configured || names.some((each) => MODEL_FILE.test(each));
  return { name, path, kind: "folder", model, bytes: null };
}

function unreadable(folder: string, cause: unknown): KeystoneError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new KeystoneError(
    "access/unreadable",
    `${folder} cannot be listed (${reason}).`,
    "Choose another folder.",
    { folder, reason },
    { cause },
  );
}
