import { KeystoneError } from "#shared/errors.ts";
import type { Inventory } from "#shared/inventory.ts";

/** Code of the reason that an inventory gives for a tensor which bears on the numbers and which no equation reads. */
export const UNCLAIMED = "unclaimed";

/**
 * Refuses a model with tensors that its family's equations have no place for: whoever wrote them computes another model.
 * @throws KeystoneError architecture/unclaimed-tensor, naming the first one
 */
export function refuseUnclaimed(inventory: Inventory, family: string): void {
  const names = inventory.flatMap((entry) =>
    "notUsedBecause" in entry && entry.notUsedBecause.code === UNCLAIMED ? [entry.name] : [],
  );
  const [first] = names;
  if (first === undefined) return;
  const rest = names.length === 1 ? "" : ` and ${names.length - 1} more tensors`;
  const adapters = names.some((name) => /\.lora_[ABE]\b|\.base_layer\./.test(name));
  throw new KeystoneError(
    "architecture/unclaimed-tensor",
    `The checkpoint holds "${first}"${rest}, which the equations of ${family} have no place for.`,
    adapters
      ? "Merge the adapters first: PEFT's merge_and_unload, then save_pretrained."
      : "If they are left over, remove them from the file (transformers would leave them out); otherwise the model needs a program that knows them.",
    { tensor: first, tensors: names.length, family },
  );
}
