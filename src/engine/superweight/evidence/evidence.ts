import type { Carrier, LayerPeaks } from "#shared/detection.ts";
import type { Taps } from "#engine/forward/forward.ts";
import { peakOf } from "./peaks.ts";

/** Rows of one layer whose largest outputs are traced to products. */
const TRACED_ROWS = 8;
/** How many of the other products in the sum are shown. */
const SHOWN_PRODUCTS = 5;
/** Products of one output that may become candidates. */
const TRACED_PRODUCTS = 2;

/** One product W[row, column]·X[token, column] of an output. */
export interface TracedProduct {
  readonly column: number;
  readonly value: number;
  readonly inputActivation: number;
  readonly contribution: number;
  /** contribution / Y. */
  readonly share: number;
  readonly nextLargest: readonly { readonly column: number; readonly contribution: number }[];
  /** 1 + weights of larger |w|, and |w| in standard deviations of the tensor. */
  readonly rank: number;
  readonly sigma: number;
  /** Where the row's largest output lies in the prompt's other form, led by BOS or not. */
  readonly carriers: readonly Omit<Carrier, "text">[];
}

/** A row's largest |Y| over tokens, and the products that dominate it, the largest first. */
export interface TracedOutput {
  readonly row: number;
  readonly token: number;
  readonly value: number;
  /** What the residual stream carried into the layer at this token and row. */
  readonly carried: number;
  readonly products: readonly TracedProduct[];
}

/** What one layer shows in one pass. */
export interface LayerEvidence {
  readonly peaks: LayerPeaks;
  /** The rows of the largest |Y|, descending. */
  readonly outputs: readonly TracedOutput[];
}

/** A prompt inside a batch: its first row and its number of tokens, and whether BOS leads it. */
export interface PromptSpan {
  readonly offset: number;
  readonly tokens: number;
  readonly bos: boolean;
}

export interface LayerStates {
  readonly layer: number;
  readonly hiddenSize: number;
  /** (rows, hidden): the residual stream before and behind the layer. */
  readonly residualIn: Float32Array;
  readonly residualOut: Float32Array;
  readonly taps: Taps;
  /** down_proj as it was in this pass: (hidden, intermediate). */
  readonly down: Float32Array;
}

/**
 * Y = X·Wᵀ. Each of the largest outputs Y[token, row] is a sum of products X[token, k]·W[row, k]; the products that give most of it
 * are what a super weight must be among [arXiv:2411.07191, section 3]. All rows are looked at, not the largest alone: one column can
 * feed several, and a late layer often holds the largest value with no single weight behind it.
 * @param prompts the first is judged; the others are the same prompt led otherwise
 */
export function layerEvidence(states: LayerStates, prompts: readonly PromptSpan[]): LayerEvidence {
  const { layer, hiddenSize, down, taps } = states;
  const width = down.length / hiddenSize;
  const [judged] = prompts;
  const rowsOf = (all: Float32Array, columns: number): Float32Array =>
    all.subarray(judged.offset * columns, (judged.offset + judged.tokens) * columns);
  const peaks = {
    layer,
    input: peakOf(rowsOf(taps.input, width), width),
    output: peakOf(rowsOf(taps.output, hiddenSize), hiddenSize),
    residual: peakOf(rowsOf(states.residualOut, hiddenSize), hiddenSize),
  };
  const found = largestRows(rowsOf(taps.output, hiddenSize), hiddenSize).map(({ row, token, value }) => ({
    row,
    token,
    value,
    carried: states.residualIn[(judged.offset + token) * hiddenSize + row],
    products: productsOf(taps.input, (judged.offset + token) * width, down, row * width, width),
  }));
  const standing = standings(
    down,
    found.flatMap(({ products }) => products.slice(0, TRACED_PRODUCTS).map(({ value }) => Math.abs(value))),
  );
  const outputs = found.map((output) => ({
    ...output,
    products: output.products.slice(0, TRACED_PRODUCTS).map((product) => ({
      ...product,
      share: output.value === 0 ? 0 : product.contribution / output.value,
      nextLargest: output.products
        .filter(({ column }) => column !== product.column)
        .slice(0, SHOWN_PRODUCTS)
        .map(({ column, contribution }) => ({ column, contribution })),
      ...standing(Math.abs(product.value)),
      carriers: prompts.map((prompt) => carrierOf(states, prompt, output.row, product.column, width)),
    })),
  }));
  return { peaks, outputs };
}

/** The rows (channels) of the largest |Y|, each with its largest token; descending, at most {@link TRACED_ROWS}. */
function largestRows(
  output: Float32Array,
  hiddenSize: number,
): { row: number; token: number; value: number }[] {
  const place = new Int32Array(hiddenSize);
  const largest = new Float32Array(hiddenSize).fill(-1);
  for (let i = 0; i < output.length; i++) {
    const row = i % hiddenSize;
    const magnitude = Math.abs(output[i]);
    if (magnitude > largest[row]) {
      largest[row] = magnitude;
      place[row] = i;
    }
  }
  return Array.from(largest.keys())
    .sort((a, b) => largest[b] - largest[a] || a - b)
    .slice(0, TRACED_ROWS)
    .map((row) => ({ row, token: Math.floor(place[row] / hiddenSize), value: output[place[row]] }));
}

interface Product {
  readonly column: number;
  readonly value: number;
  readonly inputActivation: number;
  readonly contribution: number;
}

/** The largest |products| of one sum, descending; one more than is shown beside each. */
function productsOf(
  input: Float32Array,
  x: number,
  weight: Float32Array,
  w: number,
  width: number,
): Product[] {
  const largest: Product[] = [];
  let least = -1;
  for (let column = 0; column < width; column++) {
    const contribution = input[x + column] * weight[w + column];
    if (!(Math.abs(contribution) > least)) continue;
    largest.push({
      column,
      value: weight[w + column],
      inputActivation: input[x + column],
      contribution,
    });
    largest.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
    if (largest.length > SHOWN_PRODUCTS + 1) largest.pop();
    if (largest.length > SHOWN_PRODUCTS) least = Math.abs(largest[largest.length - 1].contribution);
  }
  return largest;
}

/** Rank and deviations of several magnitudes in one tensor, from one look at it (population deviation, f64 sums). */
function standings(
  weight: Float32Array,
  magnitudes: readonly number[],
): (magnitude: number) => { rank: number; sigma: number } {
  const sorted = [...new Set(magnitudes)].sort((a, b) => a - b);
  const larger = sorted.map(() => 0);
  const least = sorted[0] ?? Infinity;
  let [total, squares] = [0, 0];
  for (let i = 0; i < weight.length; i++) {
    const w = weight[i];
    total += w;
    squares += w * w;
    const magnitude = w < 0 ? -w : w;
    if (magnitude > least) for (let k = 0; k < sorted.length && magnitude > sorted[k]; k++) larger[k]++;
  }
  const mean = total / weight.length;
  const deviation = Math.sqrt(Math.max(0, squares / weight.length - mean * mean));
  return (magnitude) => ({
    rank: larger[sorted.indexOf(magnitude)] + 1,
    sigma: deviation === 0 ? 0 : magnitude / deviation,
  });
}

/** Where a row's largest output lies in one form of the prompt, and the column's input there. */
function carrierOf(
  { taps, hiddenSize }: LayerStates,
  { offset, tokens, bos }: PromptSpan,
  row: number,
  column: number,
  width: number,
): Omit<Carrier, "text"> {
  let token = 0;
  const at = (t: number): number => taps.output[(offset + t) * hiddenSize + row];
  for (let t = 1; t < tokens; t++) if (Math.abs(at(t)) > Math.abs(at(token))) token = t;
  return { bos, token, input: taps.input[(offset + token) * width + column], output: at(token) };
}
