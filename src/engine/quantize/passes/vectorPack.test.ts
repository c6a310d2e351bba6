import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeKernelsFor, hasOrderedConstants } from "./configure.ts";
import { kernels, type Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { PackedConstants } from "../schemes/scheme.ts";
import { quantize } from "../quantize.ts";
import { scalarPack } from "./scalarPack.ts";
import { restoredIndices } from "../plan/restoreWeights.ts";
import { kernelCases } from "../../../../test/support/quantize/testCases.ts";
import { ALL_CLIPS, ALL_SCHEMES, testPlan, testWeights } from "../../../../test/support/quantize/testPlan.ts";
import type { TensorPlan } from "../plan/tensorPlan.ts";
import { vectorPack } from "./vectorPack.ts";
import { soaked } from "../../../../test/support/soak.ts";

function simd(): Kernels {
  const loaded = kernels();
  if (!loaded) throw new Error("This Node has no WebAssembly SIMD.");
  return loaded;
}

/** Everything by its bytes, so that zeros of either sign differ. */
function bytesOf(constants: PackedConstants): unknown {
  return Object.entries(constants).map(([name, values]: [string, unknown]) =>
    ArrayBuffer.isView(values) ? [name, Buffer.from(values.buffer).toString("hex")] : [name, values],
  );
}

function expectTheSame(weights: Float32Array, plan: TensorPlan): void {
  const restored = restoredIndices(weights, plan);
  const packed = vectorPack(simd(), weights, plan, restored, new Uint8Array(weights.length));
  const reference = scalarPack(weights, plan, restored, new Uint8Array(weights.length));
  expect(packed, JSON.stringify(plan)).not.toBeNull();
  if (!packed) return;
  expect(packed.codes, JSON.stringify(plan)).toEqual(reference.codes);
  expect(bytesOf(packed.constants), JSON.stringify(plan)).toEqual(bytesOf(reference.constants));
  expect(packed.clipped).toBe(reference.clipped);
}

/** The schemes whose codes come from kernels. */
const SCHEMES = ALL_SCHEMES.filter(({ scheme }) => codeKernelsFor({ scheme, range: null }) !== null);

describe("the SIMD kernels that pack", () => {
  it("give the codes and constants of the scalar path for every scheme, block, clip, arm and remainder", () => {
    fc.assert(
      fc.property(kernelCases, ({ weights, plan }) => {
        fc.pre(codeKernelsFor(plan) !== null);
        expectTheSame(weights, plan);
      }),
      { numRuns: soaked(600, 4000) },
    );
  });

  it("have every scheme that a format packs", () => {
    const packable = ALL_SCHEMES.filter(({ scheme }) => !/^(nf|fp8|mlx)/.test(scheme));
    expect(SCHEMES).toEqual(packable);
  });

  it("give them for many pieces, and for blocks longer than the kernels hold", () => {
    const shape = { rows: 3, columns: 20_003 };
    const weights = testWeights(60_009);
    for (const scheme of SCHEMES) {
      for (const granularity of ["group:32", "group:83", "flat:1", "flat:16384", "channel"]) {
        const plan = testPlan(shape, {
          ...scheme,
          granularity,
          restore: { largest: 5 },
          excludeFromRange: true,
        });
        const whole = granularity !== "channel" || !hasOrderedConstants(plan);
        if (whole) expectTheSame(weights, plan);
        else
          expect(
            vectorPack(simd(), weights, plan, new Uint32Array(), new Uint8Array(weights.length)),
          ).toBeNull();
      }
    }
  });

  it("know which of two weights of the same magnitude comes first, and of two zeros", () => {
    const ties = [0.5, -0.5, 0.25, -0.5, 0.5, 0.125];
    const zeros = [-0, 0, 0.5, 0, -0, 0.25];
    for (const scheme of SCHEMES) {
      for (const values of [ties, ties.toReversed(), zeros, zeros.toReversed(), zeros.map((w) => -w)]) {
        for (const range of ALL_CLIPS) {
          const plan = testPlan({ rows: 1, columns: 6 }, { ...scheme, range, granularity: "channel" });
          if (codeKernelsFor(plan)) expectTheSame(Float32Array.from(values), plan);
        }
      }
    }
  });

  it("read weights at any offset of shared memory", () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * 99));
    shared.set(testWeights(99));
    for (const scheme of SCHEMES)
      expectTheSame(
        shared.subarray(3),
        testPlan({ rows: 3, columns: 32 }, { ...scheme, granularity: "group:32" }),
      );
  });

  it.each([
    ["a weight that is not a number", [0, NaN, 1], /NaN/],
    ["an infinite weight", [0, 1, -Infinity], /-Infinity/],
    ["a scale past its type", [3e38, -3e38, 0], /past/],
  ])("leave %s to the scalar path, which names it", (_, values, message) => {
    for (const scheme of SCHEMES.filter(({ scheme: name }) => name !== "matmulnbits" && name !== "affine")) {
      for (const excludeFromRange of [false, true]) {
        const plan = testPlan({ rows: 1, columns: 3 }, { ...scheme, storage: "F16", excludeFromRange });
        const weights = Float32Array.from(values);
        expect(
          vectorPack(simd(), weights, plan, new Uint32Array(), new Uint8Array(weights.length)),
          scheme.scheme,
        ).toBeNull();
        expect(() => quantize(weights, plan), scheme.scheme).toThrow(message);
      }
    }
  });
});
