import { toF16 } from "#engine/numeric/halfTypes.ts";
import { countingFrom, LEAST_MAGNITUDE, type FittedBlock, type SuperBlockForm } from "./form.ts";
import { between, nearest } from "./nearest.ts";
import { furthestOf, refineSignedScale, searchSignedScale } from "./signedScale.ts";
import { sumOfSquares, weighByImportance } from "./twoConstants.ts";

const { fround } = Math;
const SUPER_BLOCK = 256;
const RUN = 16;
const RUNS = SUPER_BLOCK / RUN;

const scales = new Float32Array(RUNS);
const weights = new Float32Array(RUN);
const runWeights = new Float32Array(RUNS);
const found = new Uint8Array(RUNS);

/** Q3_K: 16 runs of 16 weights with a signed scale of 6 bits each: ŵ = (d·s)·(code − 4). */
export const threeBits: SuperBlockForm = {
  weights: SUPER_BLOCK,
  run: RUN,
  values: countingFrom(-4, 8),
  fit(x, from, importance, at, out) {
    if (importance) fitThreeBits(x, from, importance, at, out);
    else {
      for (let k = 0; k < RUNS; k++)
        scales[k] = refineSignedScale(x, from + k * RUN, RUN, 4, out.codes, k * RUN);
      out.d = byFurthest(32, 31, out.scales);
    }
    takeCodes(x, from, 4, out);
  },
};

function fitThreeBits(
  x: Float32Array,
  from: number,
  importance: Float32Array,
  at: number,
  out: FittedBlock,
): void {
  const variance = fround(fround(2 * sumOfSquares(x, from, SUPER_BLOCK)) / SUPER_BLOCK);
  for (let k = 0; k < RUNS; k++) {
    weighByImportance(x, from + k * RUN, importance, at + k * RUN, variance, weights);
    let sum = 0;
    for (const weight of weights) sum = fround(sum + weight);
    runWeights[k] = sum;
    scales[k] = searchSignedScale(x, from + k * RUN, RUN, 4, weights, 0, out.codes, k * RUN);
  }
  out.d = toF16(searchSignedScale(scales, 0, RUNS, 32, runWeights, 0, found, 0));
  for (let k = 0; k < RUNS; k++) out.scales[k] = found[k] - 32;
}

/** Q6_K: 16 runs of 16 weights with a signed scale of 8 bits each: ŵ = (d·s)·(code − 32). */
export const sixBits: SuperBlockForm = {
  weights: SUPER_BLOCK,
  run: RUN,
  values: countingFrom(-32, 64),
  fit(x, from, importance, at, out) {
    for (let k = 0; k < RUNS; k++)
      scales[k] = searchSignedScale(x, from + k * RUN, RUN, 32, importance, at + k * RUN, out.codes, k * RUN);
    if (Math.abs(furthestOf(scales, 0, RUNS)) < LEAST_MAGNITUDE) {
      out.codes.fill(0);
      out.scales.fill(0);
      out.d = 0;
      return;
    }
    out.d = byFurthest(128, 127, out.scales);
    takeCodes(x, from, 32, out);
  },
};

/** Integers −first … most of the runs' scales, the furthest from 0 becoming −first; returns what one step is worth. */
function byFurthest(first: number, most: number, out: Int8Array): number {
  const furthest = furthestOf(scales, 0, RUNS);
  if (furthest === 0) {
    out.fill(-first);
    return 0;
  }
  const inverse = fround(-first / furthest);
  for (let k = 0; k < RUNS; k++) out[k] = between(nearest(fround(inverse * scales[k])), -first, most);
  return toF16(fround(1 / inverse));
}

/** Codes with the constants as they are stored; a run whose scale is 0 keeps those of the search. */
function takeCodes(x: Float32Array, from: number, largest: number, out: FittedBlock): void {
  for (let i = 0; i < SUPER_BLOCK; i += RUN) {
    const scale = fround(out.d * out.scales[i / RUN]);
    if (scale === 0) continue;
    for (let j = i; j < i + RUN; j++)
      out.codes[j] = between(nearest(fround(x[from + j] / scale)), -largest, largest - 1) + largest;
  }
}
