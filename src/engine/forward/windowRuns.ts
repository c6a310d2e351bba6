import type { HiddenBatch } from "./forward.ts";

/** Neighbouring windows of a batch that go through a layer together, each as its first `length` tokens. */
export interface WindowRun {
  readonly first: number;
  readonly count: number;
  readonly length: number;
}

/**
 * Cuts a batch into runs of at most `maxTokens` tokens (one window at least).
 * @param exact every run is as long as its windows: none of their padding goes along
 */
export function windowRuns(
  { batch, sequence, lengths }: Pick<HiddenBatch, "batch" | "sequence" | "lengths">,
  maxTokens: number,
  exact: boolean,
): WindowRun[] {
  const runs: WindowRun[] = [];
  for (let first = 0; first < batch;) {
    const length = exact ? lengths[first] : sequence;
    const most = Math.max(1, Math.floor(maxTokens / length));
    let count = 1;
    while (count < most && first + count < batch && (!exact || lengths[first + count] === length)) count++;
    runs.push({ first, count, length });
    first += count;
  }
  return runs;
}

/** A run's rows of a (batch, sequence, width) tensor: (count, length, width). */
export interface Rows {
  /** The tensor's own memory, or a copy where windows are cut. */
  readonly values: Float32Array;
  /** Writes a copy's values to where they belong. */
  putBack(): void;
}

export function cutRows(
  all: Float32Array,
  width: number,
  sequence: number,
  { first, count, length }: WindowRun,
): Rows {
  const whole = all.subarray(first * sequence * width, (first + count) * sequence * width);
  if (length === sequence) return { values: whole, putBack: () => undefined };
  const values = new Float32Array(count * length * width);
  const cut = length * width;
  const window = (w: number): Float32Array =>
    whole.subarray(w * sequence * width, w * sequence * width + cut);
  for (let w = 0; w < count; w++) values.set(window(w), w * cut);
  return {
    values,
    putBack: () => {
      for (let w = 0; w < count; w++) window(w).set(values.subarray(w * cut, (w + 1) * cut));
    },
  };
}
