import { join } from "node:path";
import { TEMPLATE_FOLDER } from "#engine/formats/tokens/chatTemplates.ts";
import { onDisk } from "#engine/files/output/diskErrors.ts";
import { ownCode } from "./ownCode.ts";
import { INDEX_FILE } from "#engine/checkpoint/shardFiles.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { MANIFEST_FILE } from "./unknownFile.ts";

/** A file that travels with the weights: tokenizer, configs, chat templates, licence, the model's own code. */
export interface SideFile {
  /** Name inside the folder, with `/` between parts. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

const EXTENSIONS = /\.(json|txt|model|jinja|tiktoken|spm|vocab|bpe|merges|md)$/i;
const LEGAL = /^(licen[cs]e|notice|copying|use_policy)([._-]|$)/i;
/** Written anew by the export, or an index of weight files that do not travel. */
const OWN = new Set([INDEX_FILE, MANIFEST_FILE, "README.md"]);
const OTHER_INDEX = /\.(bin|h5|msgpack|safetensors)\.index(\.[\w-]+)?\.json$/i;

/**
 * The files of a checkpoint's folder that a drop-in copy needs, by name. Weights in any format, hidden files and data
 * sets stay behind. Links are followed: in Hugging Face's cache every file is one.
 */
export async function listSideFiles(fileSystem: FileSystem, folder: string): Promise<SideFile[]> {
  const found: SideFile[] = [];
  // a model in one file that was opened by itself: what lies around it may belong to others
  const facts = await onDisk({ doing: "looking at the checkpoint", path: folder }, () =>
    fileSystem.stat(folder),
  );
  if (facts?.kind === "file") return found;
  const take = async (name: string, path: string): Promise<void> => {
    const facts = await fileSystem.stat(path);
    if (facts?.kind === "file") found.push({ name, path, bytes: facts.bytes });
  };
  await onDisk({ doing: "listing the checkpoint", path: folder }, async () => {
    const names = (await fileSystem.list(folder)).sort();
    const code = await ownCode(folder, names);
    for (const name of names) if (travels(name) || code.has(name)) await take(name, join(folder, name));
    if (!names.includes(TEMPLATE_FOLDER)) return;
    const templates = join(folder, TEMPLATE_FOLDER);
    if ((await fileSystem.stat(templates))?.kind !== "folder") return;
    for (const name of (await fileSystem.list(templates)).sort())
      if (name.endsWith(".jinja")) await take(`${TEMPLATE_FOLDER}/${name}`, join(templates, name));
  });
  return found;
}

function travels(name: string): boolean {
  if (name.startsWith(".") || OWN.has(name) || OTHER_INDEX.test(name)) return false;
  return EXTENSIONS.test(name) || LEGAL.test(name);
}
