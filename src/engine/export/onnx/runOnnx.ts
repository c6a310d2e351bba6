import { stat } from "node:fs/promises";
import { join } from "node:path";
import { env } from "onnxruntime-node";
import type { Architecture } from "#engine/architecture/types.ts";
import { DATA_FILE, MODEL_FILE } from "#engine/checkpoint/onnx/names.ts";
import type { RuntimeScore } from "#shared/exporting.ts";
import { fileSize } from "#shared/format.ts";
import type { RunRequest } from "../exporter.ts";
import { scoreDecoder } from "./scoreDecoder.ts";

/** onnxruntime keeps the weights as they lie in the file and once more as its kernels want them. */
const MEMORY_PER_BYTE = 2;
/** Of a step's logits, where a window may go in steps. */
const LOGITS_BYTES = 128 * 1024 * 1024;

/** Scores a written decoder in onnxruntime, where there is room for it: the runtime holds the whole model at once. */
export async function runOnnx(folder: string, request: RunRequest): Promise<RuntimeScore> {
  const { model, windows, threads, watch, memoryBytes } = request;
  const { facts } = model.architecture;
  const name = `onnxruntime ${env.versions.node ?? env.versions.common}`;
  const longest = Math.max(0, ...windows.windows.map(({ ids }) => ids.length));
  const step = stepTokens(model.architecture, longest, LOGITS_BYTES);
  const files = await Promise.all([MODEL_FILE, DATA_FILE].map((file) => stat(join(folder, file))));
  const weights = MEMORY_PER_BYTE * files.reduce((sum, { size }) => sum + size, 0);
  const needed = weights + step * logitsOf(model.architecture);
  if (needed > memoryBytes) {
    const notRun = `The graph was not run: ${name} needs about ${fileSize(needed)} of memory for it, and ${fileSize(memoryBytes)} may be used.`;
    return { name, perplexity: null, notRun };
  }
  const { perplexity } = await scoreDecoder(folder, facts, windows, { threads, step, ...watch });
  return { name, perplexity, notRun: null };
}

/**
 * Tokens of a window that are run at once: as many as have room for their logits, and all of them where the angles of early
 * positions follow the length of the text (dynamic scaling, LongRoPE), since keys that are kept from one step to the next
 * would have those of a shorter one.
 */
export function stepTokens(architecture: Architecture, longest: number, logitsBytes: number): number {
  const step = Math.min(longest, Math.max(1, Math.floor(logitsBytes / logitsOf(architecture))));
  const [early, late] = [architecture.rotary(step), architecture.rotary(longest)];
  return early.cos.every((value, i) => value === late.cos[i]) ? step : longest;
}

/** Bytes of one token's logits. */
function logitsOf({ facts }: Architecture): number {
  return facts.vocabulary * Float32Array.BYTES_PER_ELEMENT;
}
