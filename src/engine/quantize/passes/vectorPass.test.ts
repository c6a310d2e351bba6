import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { kernelsFor } from "./configure.ts";
import { kernels, type Kernels } from "#engine/numeric/kernels/kernels.ts";
import { dequantize, quantize } from "../quantize.ts";
import { quantizeDequantize } from "../quantizeDequantize.ts";
import { scalarPass } from "./scalarPass.ts";
import { kernelCases } from "../../../../test/support/quantize/testCases.ts";
import { ALL_CLIPS, ALL_SCHEMES, testPlan, testWeights } from "../../../../test/support/quantize/testPlan.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { vectorPass } from "./vectorPass.ts";
import { soaked } from "../../../../test/support/soak.ts";

function simd(): Kernels {
  const loaded = kernels();
  if (!loaded) throw new Error("This Node has no WebAssembly SIMD.");
  return loaded;
}

/** The schemes whose mse threshold the kernels search. */
const SEARCHED = ALL_SCHEMES.filter(
  ({ scheme }) => kernelsFor({ scheme, range: { method: "mse" } }) !== null,
);

const bitsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);

function expectTheSame(weights: Float32Array, plan: TensorPlan): void {
  const [vector, scalar] = [new Float32Array(weights.length), new Float32Array(weights.length)];
  const statistics = vectorPass(simd(), weights, plan, vector);
  expect(statistics, JSON.stringify(plan)).toEqual(scalarPass(weights, plan, scalar));
  expect(bitsOf(vector), JSON.stringify(plan)).toEqual(bitsOf(scalar));
}

describe("the SIMD kernels", () => {
  it("give the bits and the sums of the scalar path for every scheme, block, clip, arm and remainder", () => {
    fc.assert(
      fc.property(kernelCases, ({ weights, plan }) => {
        fc.pre(kernelsFor(plan) !== null);
        expectTheSame(weights, plan);
      }),
      { numRuns: soaked(600, 4000) },
    );
  });

  it("give them for blocks longer than the kernels hold, and for many blocks at once", () => {
    const shape = { rows: 3, columns: 20_003 };
    const weights = testWeights(60_009);
    weights.set([0, -0, -0, 0], 40_000);
    for (const scheme of SEARCHED.filter(({ bits }) => bits === 3 || bits === 4)) {
      for (const range of ALL_CLIPS)
        expectTheSame(
          weights,
          testPlan(shape, {
            ...scheme,
            range,
            granularity: "channel",
            storage: "F16",
            restore: { largest: 5 },
          }),
        );
    }
    for (const granularity of [
      "tensor",
      "flat:1",
      "flat:3",
      "flat:64",
      "flat:16384",
      "flat:16385",
      "tile:3x83",
    ]) {
      for (const range of ALL_CLIPS)
        expectTheSame(
          weights,
          testPlan(shape, {
            granularity,
            range,
            storage: "BF16",
            restore: { largest: 5 },
            excludeFromRange: true,
          }),
        );
    }
  });

  it("cut levels exactly where the scalar path does", () => {
    const tiny = 2 ** -24;
    for (const scheme of SEARCHED.filter((each) => each.scheme.startsWith("nf"))) {
      const near = Array.from({ length: 4001 }, (_, i) => (i - 2000) / 2000);
      const weights = Float32Array.from(near.flatMap((x) => [x * (1 - tiny), x, x * (1 + tiny)]));
      expectTheSame(weights, testPlan({ rows: 1, columns: weights.length }, scheme));
    }
  });

  it("find the mse threshold of the scalar path for weights of any magnitude, though they leave candidates out", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -40, max: 10 }),
        fc.boolean(),
        fc.constantFrom(...SEARCHED),
        fc.integer({ min: 1, max: 600 }),
        fc.integer(),
        (exponent, positive, scheme, size, seed) => {
          const weights = testWeights(1200, seed).map((w) => (positive ? Math.abs(w) : w) * 2 ** exponent);
          const plan = testPlan(
            { rows: 1, columns: 1200 },
            { ...scheme, granularity: `flat:${size}`, range: { method: "mse" } },
          );
          expectTheSame(weights, plan);
          const offset = scheme.scheme === "affine" || scheme.scheme.endsWith("minmax");
          if (offset)
            expectTheSame(
              weights.map((w) => w * 2 ** 90),
              plan,
            );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("find the same mse threshold for an export", () => {
    const shape = { rows: 2, columns: 16_400 };
    const weights = testWeights(32_800);
    for (const granularity of ["channel", "group:80"]) {
      const plan = testPlan(shape, { granularity, range: { method: "mse" } });
      const out = new Float32Array(weights.length);
      scalarPass(weights, plan, out);
      expect(dequantize(quantize(weights, plan))).toEqual(out);
    }
  });

  it("read weights that lie in shared memory, wherever they begin", () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * 1003));
    shared.set(testWeights(1003));
    const plan = testPlan(
      { rows: 10, columns: 100 },
      { granularity: "group:20", range: { method: "zscore", threshold: 2 } },
    );
    const [out, expected] = [new Float32Array(new SharedArrayBuffer(4000)), new Float32Array(1000)];
    const statistics = vectorPass(simd(), shared.subarray(3), plan, out);
    expect(statistics).toEqual(scalarPass(shared.slice(3), plan, expected));
    expect(Array.from(out)).toEqual(Array.from(expected));
  });

  it.each([
    ["a weight that is not finite", "affine", [0, NaN, 1]],
    ["an infinite weight that is restored", "affine", [0, 1, Infinity]],
    ["a range past f32", "affine", [-3e38, 3e38, 0]],
    ["a scale past f16", "nf4", [7e4, 0, 0]],
    ["a result past the storage type", "int", [65504, 0, 0]],
  ] as const)("leave %s to the scalar path, which names it", (_, scheme, values) => {
    for (const range of [null, { method: "mse" as const }]) {
      const plan = testPlan(
        { rows: 1, columns: 3 },
        { scheme, storage: "F16", range, restore: { indices: [2] } },
      );
      const weights = Float32Array.from(values);
      expect(vectorPass(simd(), weights, plan, new Float32Array(3))).toBeNull();
      expect(() => quantizeDequantize(weights, plan, new Float32Array(3))).toThrow(/Tensor "w"/);
    }
  });
});

describe("without WebAssembly SIMD", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it.each([
    ["where there is no WebAssembly", undefined],
    ["where the module is refused", { validate: () => false }],
  ])("the scalar path gives the same result, %s", async (_, stub) => {
    const weights = testWeights(600);
    const plan = testPlan(
      { rows: 6, columns: 100 },
      { scheme: "nf4", granularity: "group:50", range: { method: "mse" } },
    );
    const [out, without] = [new Float32Array(600), new Float32Array(600)];
    const statistics = quantizeDequantize(weights, plan, out);
    vi.stubGlobal("WebAssembly", stub);
    vi.resetModules();
    const fresh = await import("../quantizeDequantize.ts");
    const { kernels: freshKernels } = await import("#engine/numeric/kernels/kernels.ts");
    expect(freshKernels()).toBeNull();
    expect(fresh.quantizeDequantize(weights, plan, without)).toEqual(statistics);
    expect(bitsOf(without)).toEqual(bitsOf(out));
  });
});
