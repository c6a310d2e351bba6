import type { DeviceName } from "#shared/device.ts";
import { KeystoneError } from "#shared/errors.ts";
import { exportFormatOf, type ExportFormat } from "#shared/exportFormats/index.ts";
import type { Judge } from "#shared/plan.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { readGgufTokenizer } from "#engine/formats/gguf/read/ggufTokenizer.ts";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import { tokenizerOf } from "#engine/tokenizer/tokenizerFiles.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { scoreOriginal } from "#engine/evaluate/score.ts";
import { firstOtherToken } from "#engine/evaluate/windows/sameTokens.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { requireTensorsUsed } from "./requireTensorsUsed.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { windowsOf } from "#engine/evaluate/windows/readWindows.ts";

/** What was written, and how the variant was judged before. */
export interface JudgedOn {
  readonly format: ExportFormat;
  readonly text: string;
  readonly judge: Judge;
  readonly windows: WindowSet;
}

/**
 * Scores an export as a model of its own, as its runtime reads it: graphs from its own config or metadata, tokens from its own
 * tokenizer, the weights that it holds.
 * @throws KeystoneError export/other-tokens where it does not cut the text as the source does, export/unused-tensor where its
 *   runtime does not take all of it, and what opening it throws
 */
export async function scoreReopened(
  checkpoint: Checkpoint,
  { device, threads }: { device: DeviceName; threads: number },
  { format, text, judge, windows: judged }: JudgedOn,
  watch: Watch,
): Promise<{ perplexity: number | null; tokens: number }> {
  const { tensors, inventory, shards } = checkpoint;
  const config = { ...checkpoint.config, ...exportFormatOf(format).overrules };
  const architecture = architectureOf({ config, tensors, inventory, shards });
  requireTensorsUsed(format, checkpoint);
  const tokenizer = (): Promise<Tokenizer> => exportedTokenizer(checkpoint.path);
  const windows = await windowsOf({ architecture, tokenizer }, text, judge);
  requireSameTokens(judged, windows);
  const forward = await createForward(architecture, { device, threads });
  try {
    const { scores } = await scoreOriginal({ checkpoint, architecture, forward, windows, ...watch });
    return { perplexity: scores.perplexity, tokens: scores.tokens };
  } finally {
    await forward.close();
  }
}

/** A GGUF file's runtime reads its metadata, whatever lies beside it; all others read tokenizer.json. */
async function exportedTokenizer(location: string): Promise<Tokenizer> {
  const files = await readGgufTokenizer(location).catch((thrown: unknown) => {
    if (thrown instanceof KeystoneError && thrown.code === "tokenizer/unsupported") return null;
    throw thrown;
  });
  return files ? tokenizerOf(files) : loadTokenizer(location);
}

function requireSameTokens(judged: WindowSet, reopened: WindowSet): void {
  const differs = firstOtherToken(judged, reopened);
  if (!differs) return;
  const { place, one, other } = differs;
  throw new KeystoneError(
    "export/other-tokens",
    `The exported tokenizer or context length cuts the text differently: token ${place} is ${other ?? "missing"} instead of ${one ?? "the end"}.`,
    "The export is not kept. Check the checkpoint's tokenizer files, or export without verifying to get the weights alone.",
    { token: place },
  );
}
