import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { KeystoneError } from "#shared/errors.ts";
import { exportFormatOf, type ExportFormat } from "#shared/exportFormats/index.ts";

/**
 * Whether the runtime of a format takes every tensor of a reopened export, as the files themselves describe their model.
 * @throws KeystoneError export/unused-tensor
 */
export function requireTensorsUsed(
  format: ExportFormat,
  { path, inventory }: Pick<Checkpoint, "path" | "inventory">,
): void {
  const { usesEveryTensor, runtime } = exportFormatOf(format);
  if (!usesEveryTensor) return;
  const unused = inventory.find((entry) => entry.kind === "tensor" && "notUsedBecause" in entry);
  if (!unused || !("notUsedBecause" in unused)) return;
  const { code, text } = unused.notUsedBecause;
  throw new KeystoneError(
    "export/unused-tensor",
    `The export in ${path} holds tensor ${unused.name}, which a model as its metadata describes it does not use (${text}); ${runtime} does not load such a file.`,
    "The export is not kept. Please report it with the names of the source's tensors; the format safetensors does not depend on this.",
    { tensor: unused.name, reason: code },
  );
}
