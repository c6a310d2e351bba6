import type { KeystoneError } from "#shared/errors.ts";
import type { InventoryEntry } from "#shared/inventory.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What opening a model's files found beside its tensors. */
export interface FoundBeside {
  /** Tensors that an index and its files disagree on, each with the refusal that it is worth where the model needs it. */
  readonly disagreements?: ReadonlyMap<string, KeystoneError>;
  /** The files of the folder, and the config's fields where it is not a config.json. */
  readonly entries?: readonly InventoryEntry[];
}

/** A model's files once their headers are read, and what was found beside its tensors. */
export interface OpenedFiles {
  readonly files: Checkpoint;
  readonly beside: FoundBeside;
}
