import { KeystoneError } from "#shared/errors.ts";
import type { ModelSummary } from "#shared/model.ts";
import { factsFromConfig } from "#engine/architecture/decoder/factsFromConfig.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { unknownFamily } from "#engine/inventory/unknownFamily.ts";
import { summarizeModel as summarize, type ReadArchitecture } from "#engine/formats/summarizeModel.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";

/**
 * Opens a checkpoint, says what it is and closes it again. Reads config.json, the shards' headers and what the fingerprint samples.
 * @throws KeystoneError checkpoint/…, safetensors/…
 */
export async function summarizeModel(path: string): Promise<ModelSummary> {
  return withCheckpoint(path, (checkpoint) => summarize(checkpoint, readFacts(checkpoint)));
}

/** Opens a checkpoint for `work` and closes it whatever happens. */
export async function withCheckpoint<T>(
  path: string,
  work: (checkpoint: Checkpoint) => Promise<T> | T,
): Promise<T> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await work(checkpoint);
  } finally {
    await checkpoint.close();
  }
}

/** From the architecture where it is known, otherwise what the config says by its usual names. */
function readFacts(checkpoint: Checkpoint): ReadArchitecture {
  try {
    return { facts: architectureOf(checkpoint).facts, unsupported: null, unknown: null };
  } catch (error) {
    if (!(error instanceof KeystoneError)) throw error;
    const unknown = unknownFamily(checkpoint);
    const unsupported = unknown?.text ?? `${error.message} ${error.next}`;
    return { facts: factsFromConfig(checkpoint.config), unsupported, unknown };
  }
}
