import { readFileSync } from "node:fs";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { largestDifference, runModel } from "../../test/forward/runModel.ts";

/** Keystone's own logits of every position, window after window, from a checkpoint or an export. */
export async function keystoneLogits(
  location: string,
  config: string,
  windows: readonly (readonly number[])[],
): Promise<Float32Array> {
  const [checkpoint, source] = [await openCheckpoint(location), await openCheckpoint(config)];
  const architecture = architectureOf(source);
  const forward = await createForward(architecture, { device: "cpu", threads: 2 });
  try {
    const parts: Float32Array[] = [];
    for (const window of windows)
      parts.push((await runModel(architecture, checkpoint, forward, [window])).logits);
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  } finally {
    await forward.close();
    await Promise.all([checkpoint.close(), source.close()]);
  }
}

/** exp of the mean NLL of every token but each window's first. logits: (tokens, vocabulary). */
export function perplexity(
  logits: Float32Array,
  windows: readonly (readonly number[])[],
  vocabulary: number,
): number {
  let sum = 0;
  let count = 0;
  let row = 0;
  for (const window of windows) {
    for (let i = 0; i + 1 < window.length; i++) {
      const scores = logits.subarray((row + i) * vocabulary, (row + i + 1) * vocabulary);
      sum += logSumExp(scores) - scores[window[i + 1]];
      count++;
    }
    row += window.length;
  }
  return Math.exp(sum / count);
}

/** Numbers that a peer wrote: little-endian f32. */
export function floatsOf(path: string): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
}

/** Largest difference as a share of the largest logit; NaN where there is one or there are not as many. */
export function apart(ours: Float32Array, theirs: Float32Array): number {
  return largestDifference(ours, theirs) / largestOf(ours);
}

/** Largest |logit|. */
export function largestOf(logits: Float32Array): number {
  return logits.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
}

/** Natural logarithms of the probabilities that logits give. (positions, vocabulary) both. */
export function logarithmsOf(logits: Float32Array, vocabulary: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let row = 0; row < logits.length; row += vocabulary) {
    const scores = logits.subarray(row, row + vocabulary);
    const normalizer = logSumExp(scores);
    for (let i = 0; i < vocabulary; i++) out[row + i] = scores[i] - normalizer;
  }
  return out;
}

function logSumExp(scores: Float32Array): number {
  const most = scores.reduce((a, b) => Math.max(a, b));
  return most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0));
}
