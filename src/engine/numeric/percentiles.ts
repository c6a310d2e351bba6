/** Bins by the upper 16 bits of an f32: sign, exponent, 7 bits of mantissa. */
const BINS = 65_536;
const SIGN_BIN = 0x8000;
/** From here on (either sign) the bins hold infinities and NaN. */
const NOT_FINITE_BIN = 0x7f80;

/**
 * Exact percentiles of the finite values, interpolated linearly between order statistics as NumPy's default does;
 * NaN where there is no finite value. A radix selection on the bits of the floats in two passes, whatever their
 * distribution: the upper 16 bits find the bin of each rank, the lower 16 the value inside it.
 * @param fractions each 0 … 1
 */
export function percentilesOf(w: Float32Array, fractions: readonly number[]): number[] {
  const words = new Uint32Array(w.buffer, w.byteOffset, w.length);
  const upper = new Uint32Array(BINS);
  for (let i = 0; i < words.length; i++) upper[words[i] >>> 16]++;
  const bins = binsInOrder();
  const finite = bins.reduce((sum, bin) => sum + upper[bin], 0);
  if (finite === 0) return fractions.map(() => NaN);

  const ranks = fractions.flatMap((fraction) => {
    const at = fraction * (finite - 1);
    return [Math.floor(at), Math.ceil(at)];
  });
  const values = orderStatistics(words, upper, bins, ranks);
  return fractions.map((fraction, i) => {
    const at = fraction * (finite - 1);
    const below = values[2 * i];
    return below + (values[2 * i + 1] - below) * (at - Math.floor(at));
  });
}

/** Bins of finite values from the most negative to the largest. */
function binsInOrder(): number[] {
  const bins: number[] = [];
  for (let bin = NOT_FINITE_BIN - 1; bin >= 0; bin--) bins.push(SIGN_BIN + bin);
  for (let bin = 0; bin < NOT_FINITE_BIN; bin++) bins.push(bin);
  return bins;
}

/** The values of the given ranks, counted from 0 at the smallest. */
function orderStatistics(
  words: Uint32Array,
  upper: Uint32Array,
  bins: readonly number[],
  ranks: readonly number[],
): number[] {
  const places = ranks.map((rank) => findBin(upper, bins, rank));
  const lower = new Map(places.map(({ bin }) => [bin, new Uint32Array(BINS)]));
  const wanted = new Uint8Array(BINS);
  for (const bin of lower.keys()) wanted[bin] = 1;
  for (let i = 0; i < words.length; i++) {
    const bin = words[i] >>> 16;
    if (wanted[bin] === 0) continue;
    const counts = lower.get(bin);
    if (counts) counts[words[i] & 0xffff]++;
  }
  return places.map(({ bin, within }) => valueInBin(bin, lower.get(bin) ?? new Uint32Array(BINS), within));
}

function findBin(upper: Uint32Array, bins: readonly number[], rank: number): { bin: number; within: number } {
  let before = 0;
  for (const bin of bins) {
    if (before + upper[bin] > rank) return { bin, within: rank - before };
    before += upper[bin];
  }
  throw new RangeError(`rank ${rank} of ${before} values`);
}

/** Larger bits mean a larger magnitude, so a negative bin is walked from its end. */
function valueInBin(bin: number, counts: Uint32Array, within: number): number {
  const negative = bin >= SIGN_BIN;
  let before = 0;
  for (let step = 0; step < BINS; step++) {
    const low = negative ? BINS - 1 - step : step;
    before += counts[low];
    if (before > within) return new Float32Array(Uint32Array.of(((bin << 16) | low) >>> 0).buffer)[0];
  }
  throw new RangeError(`rank ${within} of ${before} values in a bin`);
}
