import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Files whose `auto_map` names a model's own classes. */
const NAMING = ["config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json"];
const RELATIVE_IMPORT = /^[ \t]*from[ \t]+\.(\w+)[ \t]+import|^[ \t]*from[ \t]+\.[ \t]+import[ \t]+(\w+)/gm;
/** Modules of a model are a few hundred kB at most. */
const MAX_CODE_BYTES = 4_000_000;

/**
 * The Python files that a model's own classes need: those that an `auto_map` names and what they import from beside them. Other
 * Python files of a folder, such as a package's, belong to whoever put the model there.
 * @param names of the folder's files
 */
export async function ownCode(folder: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const present = new Set(names.filter((name) => name.endsWith(".py")));
  const needed = new Set<string>();
  if (present.size === 0) return needed;
  const wanted: string[] = [];
  for (const name of NAMING.filter((each) => names.includes(each)))
    wanted.push(...namedModules(await textOf(join(folder, name))));
  for (let module = wanted.pop(); module !== undefined; module = wanted.pop()) {
    const file = `${module}.py`;
    if (!present.has(file) || needed.has(file)) continue;
    needed.add(file);
    for (const [, from, plain] of (await textOf(join(folder, file))).matchAll(RELATIVE_IMPORT))
      wanted.push(from ?? plain);
  }
  return needed;
}

/** `modeling_own` of `"auto_map": { "AutoModel": "modeling_own.OwnModel" }`, without another repository's. */
function namedModules(text: string): string[] {
  const map = /"auto_map"\s*:\s*\{[^}]*\}/.exec(text)?.[0] ?? "";
  return [...map.matchAll(/"(\w+)\.\w+"/g)].map(([, module]) => module);
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path).catch(() => null);
  return bytes === null || bytes.byteLength > MAX_CODE_BYTES ? "" : bytes.toString("utf8");
}
