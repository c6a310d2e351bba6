import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const packageFile = z.object({ version: z.string() });

/** Keystone's own folder: the nearest one above this code that has a package.json, in src/ and bundled in out/ alike. */
export function rootFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

export function version(): string {
  return packageFile.parse(JSON.parse(readFileSync(join(rootFolder(), "package.json"), "utf8"))).version;
}

/** The file of the text that ships with the program, or null where it was not shipped. */
export function ownTextFile(): string | null {
  const path = join(rootFolder(), "resources", "texts", "keystone-own-text.jsonl");
  return existsSync(path) ? path : null;
}

/** The demo model's folder, or null where it was not shipped. */
export function demoModelFolder(): string | null {
  const path = join(rootFolder(), "resources", "demo-model", "model");
  return existsSync(join(path, "config.json")) ? path : null;
}
