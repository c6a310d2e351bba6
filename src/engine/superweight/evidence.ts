import type { Candidate, LayerPeaks } from "#shared/detection.ts";
import type { Taps } from "../forward/types.ts";
import { peakOf } from "./peaks.ts";

/** How many of the other products in the sum are shown. */
const SHOWN_PRODUCTS = 5;

/** A weight, X at the output peak's token in its column and Y there in its row, and what W·X is of Y. */
type WeightEvidence = Pick<
  Candidate,
  | "layer"
  | "row"
  | "column"
  | "value"
  | "inputActivation"
  | "outputActivation"
  | "contribution"
  | "share"
  | "nextLargest"
  | "rank"
  | "sigma"
>;

/** What one layer shows in one pass: its maxima, and the weight at (row of the output's, column of the input's). */
export interface LayerEvidence {
  readonly peaks: LayerPeaks;
  /** What the residual stream carried into the layer at the output peak's token and row. */
  readonly carried: number;
  readonly weight: WeightEvidence;
}

/**
 * Y = X·Wᵀ. The output's largest element Y[token, row] is a sum of products X[token, k]·W[row, k]; how much of it comes from
 * the column of the largest input decides whether a single weight is behind it [arXiv:2411.07191, section 3].
 * residualIn, residualOut: (tokens, hidden); weight: (hidden, intermediate).
 */
export function layerEvidence(
  layer: number,
  residualIn: Float32Array,
  residualOut: Float32Array,
  taps: Taps,
  weight: Float32Array,
  hiddenSize: number,
): LayerEvidence {
  const width = weight.length / hiddenSize;
  const peaks = {
    layer,
    input: peakOf(taps.input, width),
    output: peakOf(taps.output, hiddenSize),
    residual: peakOf(residualOut, hiddenSize),
  };
  const { token, channel: row, value: outputActivation } = peaks.output;
  const column = peaks.input.channel;
  const value = weight[row * width + column];
  const inputActivation = taps.input[token * width + column];
  const contribution = value * inputActivation;
  return {
    peaks,
    carried: residualIn[token * hiddenSize + row],
    weight: {
      layer,
      row,
      column,
      value,
      inputActivation,
      outputActivation,
      contribution,
      share: outputActivation === 0 ? 0 : contribution / outputActivation,
      nextLargest: largestOtherProducts(taps.input, token * width, weight, row * width, width, column),
      ...standing(weight, value),
    },
  };
}

function largestOtherProducts(
  input: Float32Array,
  x: number,
  weight: Float32Array,
  w: number,
  width: number,
  without: number,
): { column: number; contribution: number }[] {
  const largest: { column: number; contribution: number }[] = [];
  for (let column = 0; column < width; column++) {
    if (column === without) continue;
    const contribution = input[x + column] * weight[w + column];
    const last = largest.at(-1);
    if (largest.length === SHOWN_PRODUCTS && last && Math.abs(contribution) <= Math.abs(last.contribution))
      continue;
    largest.push({ column, contribution });
    largest.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    if (largest.length > SHOWN_PRODUCTS) largest.pop();
  }
  return largest;
}

/** 1 + the weights of larger |w|, and |w| in standard deviations (population, f64 sums). */
function standing(weight: Float32Array, value: number): { rank: number; sigma: number } {
  const magnitude = Math.abs(value);
  let [larger, total, squares] = [0, 0, 0];
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i];
    if (w > magnitude || -w > magnitude) larger++;
    total += w;
    squares += w * w;
  }
  const mean = total / weight.length;
  const deviation = Math.sqrt(Math.max(0, squares / weight.length - mean * mean));
  return { rank: larger + 1, sigma: deviation === 0 ? 0 : magnitude / deviation };
}
