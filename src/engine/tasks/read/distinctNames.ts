import { basename, dirname } from "node:path";

/** What a task is called, and where it lies. */
interface Named {
  readonly name: string;
  readonly path: string;
}

/**
 * One name a task, no two the same. Those of an equal name are led by the folders around them, as many as tell them apart
 * (`piqa/validation`, `own/validation`); the same path read again is numbered.
 */
export function distinctNames(tasks: readonly Named[]): string[] {
  const names = tasks.map(({ name }) => name);
  for (let folders = 1; folders <= deepest(tasks) && twice(names).size > 0; folders++) {
    const clashing = twice(names);
    tasks.forEach(({ name, path }, i) => {
      if (clashing.has(names[i])) names[i] = [...foldersAround(path, folders), name].join("/");
    });
  }
  return numbered(names);
}

function twice(names: readonly string[]): Set<string> {
  return new Set(names.filter((name, i) => names.indexOf(name) !== i));
}

function deepest(tasks: readonly Named[]): number {
  return Math.max(0, ...tasks.map(({ path }) => foldersAround(path, Infinity).length));
}

/** The names of the nearest `count` folders around a path, the outermost first. */
function foldersAround(path: string, count: number): string[] {
  const found: string[] = [];
  for (let at = dirname(path); found.length < count && !["", "."].includes(basename(at)); at = dirname(at))
    found.unshift(basename(at));
  return found;
}

function numbered(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 2; taken.has(own); n++) own = `${name} (${n})`;
    taken.add(own);
    return own;
  });
}
