import { resolve } from "node:path";
import { findGguf } from "./gguf/findGguf.ts";
import { openGguf } from "./gguf/openGguf.ts";
import { takeInventory } from "#engine/inventory/takeInventory.ts";
import { holdsOnnx, openOnnx } from "./onnx/openOnnx.ts";
import { openFolder } from "./openFolder.ts";
import type { OpenedFiles } from "./openedFiles.ts";
import type { Checkpoint } from "./checkpoint.ts";

/**
 * Opens a model: a Hugging Face folder, a folder with a GGUF file or an ONNX decoder, or a GGUF file itself. Reads config and
 * headers, checks them against each other and against the files' sizes, and takes the inventory of everything that is there; of
 * the weights a few bytes a tensor are read, to know the model by, and a tied head that is stored a second time.
 * @throws KeystoneError checkpoint/…, safetensors/…, gguf/… and onnx/…
 */
export async function openCheckpoint(location: string): Promise<Checkpoint> {
  const { files, beside } = await openFiles(resolve(location));
  try {
    return await takeInventory(files, beside);
  } catch (thrown) {
    await files.close();
    throw thrown;
  }
}

async function openFiles(path: string): Promise<OpenedFiles> {
  const gguf = await findGguf(path);
  if (gguf) return openGguf(path, gguf);
  return (await holdsOnnx(path)) ? openOnnx(path) : openFolder(path);
}
