import type { BatchPlan } from "#engine/evaluate/stream/hiddenStates.ts";
import type { HiddenBatch } from "#engine/forward/forward.ts";

/** The largest |value| of one prompt's residual stream behind one layer, and of the channels that are watched. */
export interface ResidualPeaks {
  readonly value: number;
  readonly token: number;
  readonly channel: number;
  /** The largest |value| of each watched channel, in their order. */
  readonly watched: readonly { readonly value: number; readonly token: number }[];
  /** The largest |value| of all channels that are not watched. */
  readonly elsewhere: number;
}

/** The peaks of every prompt, in the prompts' order; padding is not read, the first of equals counts. */
export function residualPeaks(
  plan: BatchPlan,
  batches: readonly HiddenBatch[],
  width: number,
  watched: readonly number[],
): ResidualPeaks[] {
  const found = new Array<ResidualPeaks>(plan.windows.length);
  plan.batches.forEach((members, b) => {
    const { data, sequence, lengths } = batches[b];
    members.forEach((index, w) => {
      const begin = w * sequence * width;
      found[index] = peaksOf(data.subarray(begin, begin + lengths[w] * width), width, watched);
    });
  });
  return found;
}

/** What each prompt's watched channels hold at the places of another state's peaks: [prompt][channel]. */
export function valuesAt(
  plan: BatchPlan,
  batches: readonly HiddenBatch[],
  width: number,
  watched: readonly number[],
  places: readonly ResidualPeaks[],
): number[][] {
  const found = new Array<number[]>(plan.windows.length);
  plan.batches.forEach((members, b) => {
    const { data, sequence } = batches[b];
    members.forEach((index, w) => {
      found[index] = watched.map(
        (channel, i) => data[(w * sequence + places[index].watched[i].token) * width + channel],
      );
    });
  });
  return found;
}

function peaksOf(values: Float32Array, width: number, watched: readonly number[]): ResidualPeaks {
  const largest = new Float64Array(width).fill(-1);
  const places = new Int32Array(width);
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude > largest[i % width]) {
      largest[i % width] = magnitude;
      places[i % width] = i;
    }
  }
  let channel = 0;
  let elsewhere = 0;
  for (let c = 0; c < width; c++) {
    if (largest[c] > largest[channel] || (largest[c] === largest[channel] && places[c] < places[channel]))
      channel = c;
    if (!watched.includes(c)) elsewhere = Math.max(elsewhere, largest[c]);
  }
  const at = (c: number) => ({ value: values[places[c]], token: Math.floor(places[c] / width) });
  return { ...at(channel), channel, watched: watched.map(at), elsewhere };
}
