import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { summarize } from "#engine/evaluate/metrics.ts";
import type { TokenWindow, WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { Scores } from "#shared/evaluation.ts";
import type { Decoder } from "#engine/architecture/description/description.ts";
import { openDecoder } from "./decoderRun.ts";

export interface ScoreDecoderOptions extends Watch {
  readonly threads: number;
  /** Tokens that are run at once; a longer window goes in steps, through keys and values. */
  readonly step: number;
}

/**
 * Scores a written decoder on a text in onnxruntime itself. NLL in nats, log-sum-exp in f64.
 * @throws KeystoneError job/cancelled, and what the runtime says of a graph that it does not take
 */
export async function scoreDecoder(
  folder: string,
  decoder: Pick<Decoder, "vocabulary" | "layers">,
  windows: WindowSet,
  { threads, step, ...watch }: ScoreDecoderOptions,
): Promise<Scores> {
  const run = await openDecoder(folder, decoder, threads);
  try {
    const tokens = windows.windows.reduce((sum, { ids }) => sum + ids.length, 0);
    const meter = createMeter(tokens, "tokens", watch);
    const nll: number[] = [];
    for (const window of windows.windows) {
      run.restart();
      for (let at = 0; at < window.ids.length; at += step) {
        const logits = await run.next(window.ids.subarray(at, at + step));
        for (const value of nllOf(logits, window, at, decoder.vocabulary)) nll.push(value);
        await meter.advance(logits.length / decoder.vocabulary, "running the graph in onnxruntime");
      }
    }
    return summarize(Float32Array.from(nll), windows);
  } finally {
    await run.release();
  }
}

/** Of the labels that count among the positions from `at` on that the logits belong to. */
function nllOf(logits: Float32Array, { labels }: TokenWindow, at: number, vocabulary: number): number[] {
  const nll: number[] = [];
  for (let i = 0; i * vocabulary < logits.length; i++) {
    const label = labels[at + i] ?? -1;
    if (label < 0) continue;
    const row = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
    nll.push(logSumExp(row) - (row[label] ?? NaN));
  }
  return nll;
}

function logSumExp(values: Float32Array): number {
  let largest = -Infinity;
  for (const value of values) if (!(value <= largest)) largest = value;
  let sum = 0;
  for (const value of values) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
