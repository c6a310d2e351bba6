import type { RowFigures } from "./stream/judgeHead.ts";

/** Log-probabilities of rows: (rows, vocabulary), nats. */
export interface RowDistributions {
  readonly logProbabilities: Float32Array;
  readonly vocabulary: number;
}

/**
 * Figures of predictions over vocabularies of other lengths, whose first tokens are the same: KL and the most likely token among
 * those that both have, each distribution made to sum to 1 there; NLL over the model's own. Sums in f64.
 * @param labels (rows); each below both vocabularies
 */
export function judgeShared(
  original: RowDistributions,
  other: RowDistributions,
  labels: Int32Array,
): RowFigures {
  const shared = Math.min(original.vocabulary, other.vocabulary);
  const figures = {
    nll: new Float32Array(labels.length),
    kl: new Float32Array(labels.length),
    topAgrees: new Float32Array(labels.length),
  };
  const row = ({ logProbabilities, vocabulary }: RowDistributions, i: number): Float32Array =>
    logProbabilities.subarray(i * vocabulary, i * vocabulary + shared);
  for (const [i, label] of labels.entries()) {
    const [p, q] = [row(original, i), row(other, i)];
    const [kept, otherKept] = [logSum(p), logSum(q)];
    let kl = 0;
    for (let token = 0; token < shared; token++) {
      const expected = p[token] - kept;
      kl += Math.exp(expected) * (expected - (q[token] - otherKept));
    }
    figures.nll[i] = -q[label];
    figures.kl[i] = kl;
    figures.topAgrees[i] = largest(p) === largest(q) ? 1 : 0;
  }
  return figures;
}

/** log Σ exp, of values that are logarithms of probabilities and so at most 0. */
function logSum(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += Math.exp(value);
  return Math.log(sum);
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
