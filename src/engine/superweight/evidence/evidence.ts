import type { Carrier, LayerPeaks } from "#shared/detection.ts";

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
  /** Whose output it is, in a layer with experts. */
  readonly expert?: number;
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

/** One down_proj in one pass, and the tokens that went through it. */
export interface DownStates {
  /** Whose it is, in a layer with experts. */
  readonly expert?: number;
  readonly hiddenSize: number;
  /** (hidden, intermediate), as it was in this pass. */
  readonly down: Float32Array;
  /** The batch's rows that went through it, ascending. */
  readonly rows: ArrayLike<number>;
  /** Into it, (rows, intermediate), and what it adds to the layer's output, (rows, hidden). */
  readonly input: Float32Array;
  readonly output: Float32Array;
  /** What each row's product with a weight is multiplied with before it is added; absent = 1. */
  readonly shares?: Float32Array;
  /** The residual stream before the layer: (all of the batch's rows, hidden). */
  readonly residualIn: Float32Array;
}

/**
 * Y = X·Wᵀ. Each of the largest outputs Y[token, row] is a sum of products X[token, k]·W[row, k]; the products that give most of it
 * are what a super weight must be among [arXiv:2411.07191, section 3]. All rows are looked at, not the largest alone: one column can
 * feed several, and a late layer often holds the largest value with no single weight behind it. An expert's Y counts as much as the
 * router lets it.
 * @param prompts the first is judged; the others are the same prompt led otherwise
 * @param least outputs below it are not looked at
 * @returns the rows of the largest |Y|, descending
 */
export function tracedOutputs(states: DownStates, prompts: readonly PromptSpan[], least = 0): TracedOutput[] {
  const { expert, hiddenSize, down, input, residualIn } = states;
  const width = down.length / hiddenSize;
  const [judged] = prompts;
  const { begin, end } = rowsIn(states.rows, judged);
  const found = largestRows(states.output.subarray(begin * hiddenSize, end * hiddenSize), hiddenSize)
    .filter(({ value }) => Math.abs(value) >= least)
    .map(({ row, token: at, value }) => ({
      ...(expert === undefined ? {} : { expert }),
      row,
      token: states.rows[begin + at] - judged.offset,
      value,
      carried: residualIn[states.rows[begin + at] * hiddenSize + row],
      products: productsOf(input, (begin + at) * width, down, row * width, width).map((product) => ({
        ...product,
        contribution: product.contribution * (states.shares?.[begin + at] ?? 1),
      })),
    }));
  if (found.length === 0) return [];
  const standing = standings(
    down,
    found.flatMap(({ products }) => products.slice(0, TRACED_PRODUCTS).map(({ value }) => Math.abs(value))),
  );
  return found.map((output) => ({
    ...output,
    products: output.products.slice(0, TRACED_PRODUCTS).map((product) => ({
      ...product,
      share: output.value === 0 ? 0 : product.contribution / output.value,
      nextLargest: output.products
        .filter(({ column }) => column !== product.column)
        .slice(0, SHOWN_PRODUCTS)
        .map(({ column, contribution }) => ({ column, contribution })),
      ...standing(Math.abs(product.value)),
      carriers: prompts.flatMap((prompt) => carrierOf(states, prompt, output.row, product.column, width)),
    })),
  }));
}

/** The largest of several down_projs' traced outputs, as many as are looked at of one, and what a larger one must exceed. */
export function largestOutputs(outputs: readonly TracedOutput[]): { outputs: TracedOutput[]; least: number } {
  const largest = outputs.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, TRACED_ROWS);
  return {
    outputs: largest,
    least: largest.length < TRACED_ROWS ? 0 : Math.abs(largest[TRACED_ROWS - 1].value),
  };
}

/** Where a prompt's rows lie among those that went through: [begin, end). */
export function rowsIn(
  rows: ArrayLike<number>,
  { offset, tokens }: PromptSpan,
): { begin: number; end: number } {
  let begin = 0;
  while (begin < rows.length && rows[begin] < offset) begin++;
  let end = begin;
  while (end < rows.length && rows[end] < offset + tokens) end++;
  return { begin, end };
}

/** The rows (channels) of the largest |Y|, each with its largest token; descending, at most {@link TRACED_ROWS}. */
function largestRows(
  output: Float32Array,
  hiddenSize: number,
): { row: number; token: number; value: number }[] {
  if (output.length === 0) return [];
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

/** Where a row's largest output lies in one form of the prompt, and the column's input there; none where no token of it came here. */
function carrierOf(
  { rows, input, output, hiddenSize }: DownStates,
  prompt: PromptSpan,
  row: number,
  column: number,
  width: number,
): Omit<Carrier, "text">[] {
  const { begin, end } = rowsIn(rows, prompt);
  if (begin === end) return [];
  let largest = begin;
  const at = (i: number): number => output[i * hiddenSize + row];
  for (let i = begin + 1; i < end; i++) if (Math.abs(at(i)) > Math.abs(at(largest))) largest = i;
  const token = rows[largest] - prompt.offset;
  return [{ bos: prompt.bos, token, input: input[largest * width + column], output: at(largest) }];
}
