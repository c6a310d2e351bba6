import { stat } from "node:fs/promises";
import { join } from "node:path";
import { env } from "onnxruntime-node";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { DATA_FILE, MODEL_FILE } from "#engine/formats/onnx/layout/names.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { RuntimeScore } from "#shared/exporting.ts";
import { fileSize } from "#shared/format.ts";
import type { RunRequest } from "./runRequest.ts";
import { scoreDecoder } from "./scoreDecoder.ts";

/** onnxruntime keeps the weights as they lie in the file and once more as its kernels want them. */
const MEMORY_PER_BYTE = 2;
/** Attention's scores: products, masked, after the softmax. */
const SCORES = 3;
/** Keys and values of the tokens so far, and of those with the step's own. */
const CACHES = 2;
/** Of a step's logits, where a window may go in steps. */
const LOGITS_BYTES = 128 * 1024 * 1024;

/** Scores a written decoder in onnxruntime, where there is room for it: the runtime holds the whole model at once. */
export async function runOnnx(folder: string, request: RunRequest): Promise<RuntimeScore> {
  const { model, windows, threads, watch, memoryBytes } = request;
  const name = `onnxruntime ${env.versions.node ?? env.versions.common}`;
  const longest = Math.max(0, ...windows.windows.map(({ ids }) => ids.length));
  const step = stepTokens(model.architecture, longest, LOGITS_BYTES);
  const files = await Promise.all([MODEL_FILE, DATA_FILE].map((file) => stat(join(folder, file))));
  const weights = MEMORY_PER_BYTE * files.reduce((sum, { size }) => sum + size, 0);
  const needed = weights + stepBytes(model.architecture, step, longest);
  const notRun = (why: string): RuntimeScore => ({
    ...{ name, perplexity: null },
    notRun: `The graph was not run: ${why}.`,
  });
  if (needed > memoryBytes)
    return notRun(
      `${name} needs about ${fileSize(needed)} of memory for it, and ${fileSize(memoryBytes)} may be used`,
    );
  try {
    const { perplexity } = await scoreDecoder(folder, model.architecture.description, windows, {
      threads,
      step,
      ...watch,
    });
    return { name, perplexity, notRun: null };
  } catch (error) {
    if (error instanceof KeystoneError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    // there was less room than it looked like: nothing is said of the graph
    if (/alloc/i.test(reason)) return notRun(`${name} ran out of memory`);
    throw new KeystoneError(
      "export/runtime-failed",
      `${name} does not run the written graph: ${reason}`,
      "The export is not kept. Please report it with the recipe; the format safetensors does not depend on a runtime.",
      { runtime: name, reason },
    );
  }
}

/** What a step takes beside the weights: its logits, keys and values, and the scores of one layer's attention. All f32. */
function stepBytes({ facts }: Architecture, step: number, longest: number): number {
  const { layers, heads, keyValueHeads, headSize, vocabulary } = facts;
  const cache = CACHES * longest * layers * 2 * keyValueHeads * headSize;
  const scores = SCORES * heads * step * longest;
  return (step * vocabulary + cache + scores) * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Tokens of a window that are run at once: as many as have room for their logits, and all of them where the angles of early
 * positions follow the length of the text (dynamic scaling, LongRoPE), since keys that are kept from one step to the next
 * would have those of a shorter one.
 */
export function stepTokens(architecture: Architecture, longest: number, logitsBytes: number): number {
  const step = Math.min(longest, Math.max(1, Math.floor(logitsBytes / logitsOf(architecture))));
  // of one position alone nothing can be seen: the first is not turned
  const stays = architecture.kinds.every((layer) => {
    const [early, late] = [step, longest].map(
      (length) => architecture.positionTables(layer, Math.max(2, length)).cos,
    );
    return early?.every((value, i) => value === late?.[i]) ?? true;
  });
  return stays ? step : longest;
}

/** Bytes of one token's logits. */
function logitsOf({ facts }: Architecture): number {
  return facts.vocabulary * Float32Array.BYTES_PER_ELEMENT;
}
