import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

/** Files of source and, of each, those of them that it imports; all paths from the root, with forward slashes. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const IMPORTED = /(?:\bfrom|\bimport|\bimport\()\s*["']([^"'\n]+)["']/g;

/** Every import of the TypeScript and Svelte files below `folder`, tests and type-only imports included. */
export function importGraph(root: string, folder: string): ImportGraph {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|svelte)$/.test(name))
    .map((name) => join(root, folder, name));
  const names = new Set(files.map((file) => named(root, file)));
  return new Map(
    files.map((file) => {
      const found = [...readFileSync(file, "utf8").matchAll(IMPORTED)].map(([, specifier = ""]) =>
        named(root, target(root, file, specifier)),
      );
      return [named(root, file), [...new Set(found)].filter((name) => names.has(name))];
    }),
  );
}

/** The graph of the folders that hold the files; a folder is not the same as one inside it. */
export function folderGraph(files: ImportGraph): ImportGraph {
  const folders = new Map<string, Set<string>>();
  for (const [file, imports] of files) {
    const from = dirname(file);
    const to = folders.get(from) ?? new Set();
    folders.set(from, to);
    for (const folder of imports.map((name) => dirname(name))) if (folder !== from) to.add(folder);
  }
  return new Map([...folders].map(([folder, to]) => [folder, [...to]]));
}

/** One way round for each circle that a walk through the graph meets: its members in order; empty where there is none. */
export function circles(graph: ImportGraph): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): void => {
    const at = path.indexOf(name);
    if (at >= 0) found.push(path.slice(at));
    if (at >= 0 || done.has(name)) return;
    for (const next of graph.get(name) ?? []) walk(next, [...path, name]);
    done.add(name);
  };
  for (const name of graph.keys()) walk(name, []);
  return found;
}

/** `#engine/…` and relative paths; a package's name leads to no file of ours. */
function target(root: string, file: string, specifier: string): string {
  if (specifier.startsWith("#")) return join(root, "src", specifier.slice(1));
  return specifier.startsWith(".") ? resolve(dirname(file), specifier) : specifier;
}

function named(root: string, file: string): string {
  return relative(root, file).split(sep).join("/");
}
