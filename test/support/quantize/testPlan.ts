import { parseGranularity, type RangeRule, type SchemeName } from "#shared/recipe.ts";
import type { TensorPlan } from "../../../src/engine/quantize/plan/tensorPlan.ts";

/** A plan for tests: 4-bit rtn, one block, nothing clipped or restored, f32, unless said otherwise. */
export function testPlan(
  shape: { rows: number; columns: number },
  changes: Partial<Omit<TensorPlan, "granularity">> & { granularity?: string } = {},
): TensorPlan {
  const { granularity = "tensor", ...rest } = changes;
  return {
    name: "w",
    layer: 0,
    ...shape,
    scheme: "affine",
    bits: 4,
    symmetric: false,
    range: null,
    method: "rtn",
    restore: { indices: [] },
    excludeFromRange: false,
    storage: "F32",
    ...rest,
    granularity: parseGranularity(granularity),
  };
}

/** Every scheme with its bits and symmetry, but for those whose blocks have one size. */
export const ALL_SCHEMES: readonly { scheme: SchemeName; bits: number; symmetric: boolean }[] = [
  { scheme: "fp8_e4m3", bits: 8, symmetric: false },
  ...[2, 3, 4, 5, 6, 7, 8].flatMap((bits) => [
    { scheme: "affine" as const, bits, symmetric: false },
    { scheme: "int" as const, bits, symmetric: false },
    { scheme: "int" as const, bits, symmetric: true },
  ]),
  { scheme: "nf4", bits: 4, symmetric: false },
  { scheme: "nf3", bits: 3, symmetric: false },
  { scheme: "nf4-minmax", bits: 4, symmetric: false },
  { scheme: "nf3-minmax", bits: 3, symmetric: false },
  { scheme: "q4_0", bits: 4, symmetric: false },
  { scheme: "q4_1", bits: 4, symmetric: false },
  { scheme: "q5_0", bits: 5, symmetric: false },
  { scheme: "q5_1", bits: 5, symmetric: false },
  { scheme: "q8_0", bits: 8, symmetric: false },
  ...[4, 8].flatMap((bits) => [
    { scheme: "compressed-tensors" as const, bits, symmetric: false },
    { scheme: "compressed-tensors" as const, bits, symmetric: true },
  ]),
  ...[2, 3, 4, 8].flatMap((bits) => [
    { scheme: "gptq-int" as const, bits, symmetric: false },
    { scheme: "gptq-int" as const, bits, symmetric: true },
  ]),
  { scheme: "awq-int", bits: 4, symmetric: false },
  ...[2, 3, 4, 5, 6, 8].map((bits) => ({ scheme: "mlx" as const, bits, symmetric: false })),
  ...[4, 8].flatMap((bits) => [
    { scheme: "matmulnbits" as const, bits, symmetric: false },
    { scheme: "matmulnbits" as const, bits, symmetric: true },
  ]),
];

/** Every clip, and none. */
export const ALL_CLIPS: readonly (RangeRule | null)[] = [
  null,
  { method: "zscore", threshold: 1.5 },
  { method: "block-percentage", threshold: 0.1 },
  { method: "tensor-percentage", threshold: 0.05 },
  { method: "iqr", threshold: 0.75 },
  { method: "mse" },
];

/** Blocks that fit 6 × 12, remainders and single weights among them. */
export const BLOCKS_OF_6_BY_12 = [
  "group:1",
  "group:4",
  "group:12",
  "channel",
  "tensor",
  "flat:5",
  "flat:24",
  "flat:71",
  "flat:100",
  "tile:2x3",
  "tile:6x1",
  "tile:1x12",
] as const;

/** Deterministic weights: a sum of four uniform variables, standard deviation about 0.02, a few outliers. */
export function testWeights(count: number, seed = 1): Float32Array {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  };
  return Float32Array.from({ length: count }, (_, i) => {
    const weight = 0.017 * (uniform() + uniform() + uniform() + uniform());
    return i % 997 === 500 ? weight * 40 : weight;
  });
}
