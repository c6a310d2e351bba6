import fc from "fast-check";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { ALL_CLIPS, ALL_SCHEMES, testPlan } from "./testPlan.ts";

/** Every width of remainder: rows of 1 to 70 weights. */
const shapes = fc.record({ rows: fc.integer({ min: 1, max: 4 }), columns: fc.integer({ min: 1, max: 70 }) });

/** Ordinary weights, zeros of both signs, ties of magnitude, subnormals, and weights past what f16 holds. */
const weight = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -1, max: 1, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, -0, 0.5, -0.5) },
  { weight: 1, arbitrary: fc.float({ min: Math.fround(-1e-6), max: Math.fround(1e-6), noNaN: true }) },
  { weight: 1, arbitrary: fc.float({ min: -20000, max: 20000, noNaN: true }) },
);

/** Up to a handful of f32's smallest steps: scales and their inverses leave the ordinary range. */
const subnormal = fc.integer({ min: -40, max: 40 }).map((steps) => steps * 2 ** -149);
const tiny = fc.float({ min: Math.fround(-1e-37), max: Math.fround(1e-37), noNaN: true });
const zero = fc.constantFrom(0, -0);

/** Weights with a plan that fits them: every scheme, block, clip, arm and storage type. */
export const kernelCases = shapes.chain((shape) =>
  fc.record({
    weights: fc
      .oneof(
        { weight: 8, arbitrary: fc.constant(weight) },
        { weight: 1, arbitrary: fc.constant(fc.oneof(subnormal, zero)) },
        { weight: 1, arbitrary: fc.constant(fc.oneof(tiny, subnormal, zero)) },
        { weight: 1, arbitrary: fc.constant(zero) },
      )
      .chain((each) =>
        fc.array(each, { minLength: shape.rows * shape.columns, maxLength: shape.rows * shape.columns }),
      )
      .map((values) => Float32Array.from(values)),
    plan: fc
      .record({
        scheme: fc.constantFrom(...ALL_SCHEMES),
        granularity: fc.oneof(
          fc.constantFrom("channel", "tensor", `tile:1x${shape.columns}`, `tile:${shape.rows}x1`),
          fc.integer({ min: 1, max: 80 }).map((size) => `flat:${size}`),
          fc.integer({ min: 1, max: 70 }).map((size) => `group:${size}`),
        ),
        clip: fc.constantFrom(...ALL_CLIPS),
        storage: fc.constantFrom<StorageType>("F32", "F16", "BF16"),
        largest: fc.nat(9),
        excludeFromRange: fc.boolean(),
      })
      .map(({ scheme, largest, ...rest }) => testPlan(shape, { ...scheme, ...rest, restore: { largest } })),
  }),
);
