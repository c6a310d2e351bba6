import type { Architecture } from "#engine/architecture/types.ts";
import type { Checkpoint } from "#engine/checkpoint/types.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { ExportFormat } from "#shared/exporting.ts";

/** llama.cpp counts what it uses and loads no file that holds more. The others' runtimes pass such tensors over. */
const EVERY_TENSOR_USED: readonly ExportFormat[] = ["gguf"];

/**
 * Whether the runtime of a format takes every tensor of a reopened export.
 * @param architecture as the files themselves describe it
 * @throws KeystoneError export/unused-tensor
 */
export function requireTensorsUsed(
  format: ExportFormat,
  architecture: Architecture,
  { path, tensors }: Pick<Checkpoint, "path" | "tensors">,
): void {
  if (!EVERY_TENSOR_USED.includes(format)) return;
  const { embedTensor, normTensor, headTensor, facts } = architecture;
  const used = new Set([embedTensor, normTensor, headTensor]);
  for (let layer = 0; layer < facts.layers; layer++)
    for (const { name } of architecture.layerTensors(layer)) used.add(name);
  const unused = [...tensors.keys()].find((name) => !used.has(name));
  if (unused === undefined) return;
  throw new KeystoneError(
    "export/unused-tensor",
    `The export in ${path} holds tensor ${unused}, which a model of ${facts.layers} layers as its metadata describes it does not use; llama.cpp does not load such a file.`,
    "The export is not kept. Correct the layer count or the tensors of the source, or export as safetensors.",
    { tensor: unused, layers: facts.layers },
  );
}
