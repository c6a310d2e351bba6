import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import { createForward } from "#engine/forward/createForward.ts";

export interface OpenModel extends Engine {
  readonly tokenizer: Tokenizer;
  close(): Promise<void>;
}

/** The model in a folder, on one core: files of tests run side by side, and threads that wait for one another spin. */
export async function openModelAt(folder: string): Promise<OpenModel> {
  const checkpoint = await openCheckpoint(folder);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  const tokenizer = await loadTokenizer(folder);
  const close = async (): Promise<void> => {
    await forward.close();
    await checkpoint.close();
  };
  return { checkpoint, architecture, forward, tokenizer, close };
}
