import type { HiddenBatch } from "#engine/forward/forward.ts";
import type { Variant } from "./variant.ts";

/** Per batch and row: position (flat token of the batch) and value of the largest |Y[:, row]| of each window. */
export type KeptPeaks = Map<string, readonly { readonly token: number; readonly value: number }[]>;

/** down_proj output rows whose largest value some variant keeps at this layer. */
export function keptRows(variants: readonly Variant[], layer: number): readonly number[] {
  return [
    ...new Set(
      variants.flatMap((v) =>
        (v.keepSuperActivation ?? []).filter((kept) => kept.layer === layer).map(({ row }) => row),
      ),
    ),
  ];
}

/** Notes where the original's down_proj output is largest, row by row. output: (batch, sequence, hidden). */
export function recordPeaks(
  peaks: KeptPeaks,
  rows: readonly number[],
  batchIndex: number,
  batch: HiddenBatch,
  output: Float32Array,
  hiddenSize: number,
): void {
  for (const row of rows) {
    const places = batch.lengths.map((length, w) => {
      let token = w * batch.sequence;
      for (let t = token; t < w * batch.sequence + length; t++) {
        if (Math.abs(output[t * hiddenSize + row]) > Math.abs(output[token * hiddenSize + row])) token = t;
      }
      return { token, value: output[token * hiddenSize + row] };
    });
    peaks.set(`${batchIndex}:${row}`, places);
  }
}

/**
 * Writes the original's values into a variant's layer output. Layers add down_proj's output to the residual stream, so the
 * difference Y − Ŷ at that place is what is missing.
 */
export function putBack(
  peaks: KeptPeaks,
  rows: readonly number[],
  batchIndex: number,
  hidden: HiddenBatch,
  output: Float32Array,
  hiddenSize: number,
): void {
  for (const row of rows) {
    for (const { token, value } of peaks.get(`${batchIndex}:${row}`) ?? []) {
      const place = token * hiddenSize + row;
      hidden.data[place] += value - output[place];
    }
  }
}
