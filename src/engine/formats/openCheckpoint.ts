import { resolve } from "node:path";
import { findGguf } from "./gguf/read/findGguf.ts";
import { openGguf } from "./gguf/read/openGguf.ts";
import { takeInventory } from "#engine/inventory/takeInventory.ts";
import { holdsOnnx, openOnnx } from "./onnx/read/openOnnx.ts";
import { openFolder } from "./safetensors/read/openFolder.ts";
import type { OpenedFiles } from "#engine/checkpoint/openedFiles.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

export interface OpenAs {
  /** The family that a folder's model is taken for, whatever its config.json names. */
  readonly as?: string | undefined;
}

/**
 * Opens a model: a Hugging Face folder, a folder with a GGUF file or an ONNX decoder, or a GGUF file itself. Reads config and
 * headers, checks them against each other and against the files' sizes, and takes the inventory of everything that is there; of
 * the weights a few bytes a tensor are read, to know the model by, and a tied head that is stored a second time.
 * @throws KeystoneError checkpoint/…, safetensors/…, gguf/… and onnx/…
 */
export async function openCheckpoint(location: string, { as }: OpenAs = {}): Promise<Checkpoint> {
  const { files, beside } = await openFiles(resolve(location), as);
  try {
    return await takeInventory(files, beside);
  } catch (thrown) {
    await files.close();
    throw thrown;
  }
}

async function openFiles(path: string, as: string | undefined): Promise<OpenedFiles> {
  const gguf = await findGguf(path);
  if (gguf) return openGguf(path, gguf);
  return (await holdsOnnx(path)) ? openOnnx(path) : openFolder(path, as);
}
