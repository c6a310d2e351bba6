/** The standard normal distribution, and Student's t quantile, to more digits than a bootstrap has. */

/** P(Z ≤ z): error below 1.2e-7 [Press et al., Numerical Recipes, erfc by Chebyshev fitting]. */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const fit = ERFC.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  const tail = (t * Math.exp(fit - x * x)) / 2;
  return z > 0 ? 1 - tail : tail;
}
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
] as const;

/** z with P(Z ≤ z) = p, 0 < p < 1, by Newton's method on {@link normalCdf}. */
export function normalQuantile(p: number): number {
  let z = 0;
  for (let step = 0; step < 40; step++) {
    const density = Math.exp(-z * z * 0.5) / Math.sqrt(2 * Math.PI);
    const next = (normalCdf(z) - p) / density;
    // far out the density is small and a whole step would leave the curve
    z -= Math.max(-1, Math.min(1, next));
    if (Math.abs(next) < 1e-9) break;
  }
  return z;
}

/**
 * Student's t quantile for the normal quantile z and n degrees of freedom, n ≥ 8: Cornish and Fisher's expansion
 * [Abramowitz & Stegun, 26.7.5], right to 3 decimals there.
 */
export function studentQuantile(z: number, freedom: number): number {
  const [z3, z5, z7] = [z ** 3, z ** 5, z ** 7];
  return (
    z +
    (z3 + z) / (4 * freedom) +
    (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom ** 3)
  );
}
