import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/checkpoint/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { runModel } from "../../../test/forward/runModel.ts";

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
      const most = scores.reduce((a, b) => Math.max(a, b));
      const total = scores.reduce((a, b) => a + Math.exp(b - most), 0);
      sum += most + Math.log(total) - scores[window[i + 1]];
      count++;
    }
    row += window.length;
  }
  return Math.exp(sum / count);
}
