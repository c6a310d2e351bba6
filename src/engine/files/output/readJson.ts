import type { FileSystem } from "./fileSystem.ts";

/** A small JSON file; null where it is none. @throws what the disk throws */
export async function readJson(fileSystem: FileSystem, path: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of fileSystem.read(path)) chunks.push(chunk.slice());
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return null;
  }
}
