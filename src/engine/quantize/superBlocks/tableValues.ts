import { toF16 } from "#engine/numeric/halfTypes.ts";
import { LEAST_MAGNITUDE, type FittedBlock, type SuperBlockForm } from "./form.ts";
import { between, nearest } from "./nearest.ts";
import { furthestOf } from "./signedScale.ts";
import { sumOfSquares, weighByImportance } from "./twoConstants.ts";

const { fround } = Math;
const RUN = 32;
const SUPER_BLOCK = 256;
/** Scales tried on each side of the first one. */
const TRIES = 7;

/** What the codes of IQ4_NL and IQ4_XS stand for. */
const VALUES = Float32Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
const [LEAST] = VALUES;
const MOST = VALUES[15];

/** By ⌊x⌋ − LEAST: the first code whose value is above x. */
const ABOVE = Uint8Array.from({ length: MOST - LEAST }, (_, i) =>
  VALUES.findIndex((value) => value > i + LEAST),
);

/** The code whose value is nearest to x; of two at the same distance the upper one. */
function nearestValue(x: number): number {
  if (x <= LEAST) return 0;
  if (!(x < MOST)) return x >= MOST ? 15 : 0;
  const above = ABOVE[Math.floor(x) - LEAST];
  return fround(x - VALUES[above - 1]) < fround(VALUES[above] - x) ? above - 1 : above;
}

/** IQ4_NL: blocks of 32 weights with one scale: ŵ = d·value[code]. */
export const tableOfBlock: SuperBlockForm = {
  weights: RUN,
  run: RUN,
  values: VALUES,
  fit(x, from, importance, at, out) {
    const scale = searchRun(x, from, importance, at, varianceOf(x, from, RUN), out.codes, 0);
    out.d = toF16(scale);
    out.scales[0] = 1;
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    for (let i = 0; i < RUN; i++) out.codes[i] = nearestValue(fround(inverse * x[from + i]));
  },
};

/** IQ4_XS: 8 runs of 32 weights with a signed scale of 6 bits each: ŵ = (d·s)·value[code]. */
export const tableOfRuns: SuperBlockForm = {
  weights: SUPER_BLOCK,
  run: RUN,
  values: VALUES,
  fit(x, from, importance, at, out) {
    const variance = varianceOf(x, from, SUPER_BLOCK);
    for (let i = 0; i < SUPER_BLOCK; i += RUN)
      scales[i / RUN] = searchRun(x, from + i, importance, at + i, variance, out.codes, i);
    storeRuns(x, from, out);
  },
};

const scales = new Float32Array(SUPER_BLOCK / RUN);
const weights = new Float32Array(RUN);
let sumXQ = 0;
let sumQ2 = 0;

function varianceOf(x: Float32Array, from: number, count: number): number {
  return fround(sumOfSquares(x, from, count) * fround(2 / count));
}

/** The scale of a run of least Σ weight·(w − scale·value)², 0 where the run is; its first codes are left in `codes`. */
function searchRun(
  x: Float32Array,
  from: number,
  importance: Float32Array | null,
  at: number,
  variance: number,
  codes: Uint8Array,
  to: number,
): number {
  if (importance) weighByImportance(x, from, importance, at, variance, weights);
  else for (let i = 0; i < RUN; i++) weights[i] = x[from + i] * x[from + i];
  const furthest = furthestOf(x, from, RUN);
  if (Math.abs(furthest) < LEAST_MAGNITUDE) return 0;
  const first = fround(1 / fround(-furthest / LEAST));
  for (let i = 0; i < RUN; i++) codes[to + i] = nearestValue(fround(first * x[from + i]));
  addUp(x, from, first);
  let scale = fround(sumXQ / sumQ2);
  let gain = fround(scale * sumXQ);
  for (let i = -TRIES; i <= TRIES; i++) {
    addUp(x, from, fround((i + LEAST) / furthest));
    if (sumQ2 > 0 && fround(sumXQ * sumXQ) > fround(gain * sumQ2)) {
      scale = fround(sumXQ / sumQ2);
      gain = fround(scale * sumXQ);
    }
  }
  return scale;
}

/** sumXQ = Σ weight·value·w, sumQ2 = Σ weight·value². */
function addUp(x: Float32Array, from: number, inverse: number): void {
  let xq = 0;
  let q2 = 0;
  for (let i = 0; i < RUN; i++) {
    const value = VALUES[nearestValue(fround(inverse * x[from + i]))];
    const weighted = fround(weights[i] * value);
    xq = fround(xq + fround(weighted * x[from + i]));
    q2 = fround(q2 + fround(weighted * value));
  }
  sumXQ = xq;
  sumQ2 = q2;
}

/** The runs' scales as integers; codes are taken with d before it is rounded to f16. */
function storeRuns(x: Float32Array, from: number, out: FittedBlock): void {
  const d = fround(-furthestOf(scales, 0, scales.length) / 32);
  out.d = toF16(d);
  const inverse = d === 0 ? 0 : fround(1 / d);
  for (let i = 0; i < SUPER_BLOCK; i += RUN) {
    const step = between(nearest(fround(inverse * scales[i / RUN])), -32, 31);
    out.scales[i / RUN] = step;
    const scale = fround(d * step);
    const ofRun = scale === 0 ? 0 : fround(1 / scale);
    for (let j = i; j < i + RUN; j++) out.codes[j] = nearestValue(fround(ofRun * x[from + j]));
  }
}
