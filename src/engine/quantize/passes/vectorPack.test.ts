import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeKernelsFor, hasOrderedConstants } from "./configure.ts";
import { kernels, type Kernels } from "#engine/numeric/kernels/kernels.ts";
import type { PackedConstants } from "../schemes/codec.ts";
import { quantize, scalarPack } from "../quantize.ts";
import { restoredIndices } from "../plan/restoreWeights.ts";
import { kernelCases } from "../../../../test/support/quantize/testCases.ts";
import { ALL_CLIPS, ALL_CODECS, testPlan, testWeights } from "../../../../test/support/quantize/testPlan.ts";
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

/** The codecs whose codes come from kernels. */
const CODECS = ALL_CODECS.filter(({ codec }) => codeKernelsFor({ codec, clip: null }) !== null);

describe("the SIMD kernels that pack", () => {
  it("give the codes and constants of the scalar path for every codec, block, clip, arm and remainder", () => {
    fc.assert(
      fc.property(kernelCases, ({ weights, plan }) => {
        fc.pre(codeKernelsFor(plan) !== null);
        expectTheSame(weights, plan);
      }),
      { numRuns: soaked(600, 4000) },
    );
  });

  it("have every codec that a format packs", () => {
    const packable = ALL_CODECS.filter(({ codec }) => !codec.startsWith("nf"));
    expect(CODECS).toEqual(packable);
  });

  it("give them for many pieces, and for blocks longer than the kernels hold", () => {
    const shape = { rows: 3, columns: 20_003 };
    const weights = testWeights(60_009);
    for (const codec of CODECS) {
      for (const block of ["group:32", "group:83", "flat:1", "flat:16384", "channel"]) {
        const plan = testPlan(shape, { ...codec, block, restore: { largest: 5 }, holdOut: true });
        const whole = block !== "channel" || !hasOrderedConstants(plan);
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
    for (const codec of CODECS) {
      for (const values of [ties, ties.toReversed(), zeros, zeros.toReversed(), zeros.map((w) => -w)]) {
        for (const clip of ALL_CLIPS) {
          const plan = testPlan({ rows: 1, columns: 6 }, { ...codec, clip, block: "channel" });
          if (codeKernelsFor(plan)) expectTheSame(Float32Array.from(values), plan);
        }
      }
    }
  });

  it("read weights at any offset of shared memory", () => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * 99));
    shared.set(testWeights(99));
    for (const codec of CODECS)
      expectTheSame(shared.subarray(3), testPlan({ rows: 3, columns: 32 }, { ...codec, block: "group:32" }));
  });

  it.each([
    ["a weight that is not a number", [0, NaN, 1], /NaN/],
    ["an infinite weight", [0, 1, -Infinity], /-Infinity/],
    ["a scale past its type", [3e38, -3e38, 0], /past/],
  ])("leave %s to the scalar path, which names it", (_, values, message) => {
    for (const codec of CODECS.filter(({ codec: name }) => name !== "matmulnbits" && name !== "rtn")) {
      for (const holdOut of [false, true]) {
        const plan = testPlan({ rows: 1, columns: 3 }, { ...codec, storage: "F16", holdOut });
        const weights = Float32Array.from(values);
        expect(
          vectorPack(simd(), weights, plan, new Uint32Array(), new Uint8Array(weights.length)),
          codec.codec,
        ).toBeNull();
        expect(() => quantize(weights, plan), codec.codec).toThrow(message);
      }
    }
  });
});
