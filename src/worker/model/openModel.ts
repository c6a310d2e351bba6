import { KeystoneError } from "#shared/errors.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { listedModel } from "#engine/export/variant/listedModel.ts";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { ReadableModel } from "#engine/evaluate/stream/engine.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { ModelHandle } from "../protocol/task.ts";

/** A model as a worker keeps it between tasks: headers in memory, sessions made, weights read when they are needed. */
export type OpenModel = ReadableModel;

let kept: { key: string; model: OpenModel } | null = null;

/**
 * The model of a task: the one that is open where it is the same, otherwise opened after the other one is closed.
 * @throws KeystoneError checkpoint/changed where the files are no longer those the studio saw
 */
export async function openModel(handle: ModelHandle): Promise<OpenModel> {
  const key = JSON.stringify([handle.path, handle.revision, handle.device, handle.threads]);
  if (kept?.key === key) return kept.model;
  await closeModel();
  const model = await open(handle);
  kept = { key, model };
  return model;
}

/**
 * Opens another model for the length of `work`, beside the one that is kept.
 * @throws KeystoneError as {@link openModel}
 */
export async function withModel<T>(handle: ModelHandle, work: (model: OpenModel) => Promise<T>): Promise<T> {
  const model = await open(handle);
  try {
    return await work(model);
  } finally {
    await model.forward.close();
    await model.checkpoint.close();
  }
}

/**
 * Opens a model whose equations are not known for the length of `work`: its tensors can be written, not computed with.
 * @throws KeystoneError as {@link openModel}
 */
export async function withListed<T>(
  handle: ModelHandle,
  work: (model: Pick<OpenModel, "checkpoint" | "architecture">) => Promise<T>,
): Promise<T> {
  const checkpoint = await openAsSeen(handle);
  try {
    return await work({ checkpoint, architecture: listedModel(checkpoint) });
  } finally {
    await checkpoint.close();
  }
}

async function closeModel(): Promise<void> {
  const last = kept;
  kept = null;
  await last?.model.forward.close();
  await last?.model.checkpoint.close();
}

/** @throws KeystoneError checkpoint/changed */
async function openAsSeen({ path, revision }: Pick<ModelHandle, "path" | "revision">): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(path);
  if (checkpoint.revision === revision) return checkpoint;
  await checkpoint.close();
  throw new KeystoneError(
    "checkpoint/changed",
    `The checkpoint in ${path} was changed while Keystone used it.`,
    "Open the model again.",
    { path },
  );
}

async function open({ path, revision, device, threads }: ModelHandle): Promise<OpenModel> {
  const checkpoint = await openAsSeen({ path, revision });
  try {
    const architecture = architectureOf(checkpoint);
    const forward = await createForward(architecture, { device, threads });
    let tokenizer: Promise<Tokenizer> | null = null;
    return { checkpoint, architecture, forward, tokenizer: () => (tokenizer ??= loadTokenizer(path)) };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}
