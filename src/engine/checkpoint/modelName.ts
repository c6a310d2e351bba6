import { basename, dirname } from "node:path";

/** The folder's name; `owner/name` for an entry of Hugging Face's cache; the parent's name for a folder called `model`; a file's without `.gguf`. */
export function modelName(path: string): string {
  const cached = /models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+$/.exec(path);
  if (cached) return cached[1].replace("--", "/");
  const name = basename(path).replace(/\.gguf$/i, "");
  return name === "model" ? basename(dirname(path)) || name : name;
}
