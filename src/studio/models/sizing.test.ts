import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryOf, sizeSweep, type ModelShape } from "./sizing.ts";

const GB = 2 ** 30;
const AUTO = { workers: null, threadsPerWorker: null, memoryLimitBytes: null };
const SMALL: ModelShape = {
  layerBytes: 3e6,
  headBytes: 1e6,
  hiddenSize: 256,
  intermediateSize: 704,
  vocabulary: 1024,
  layers: 6,
  linearWeights: 4.5e6,
};
/** Llama-7B: 202 M weights a layer. */
const LARGE: ModelShape = {
  layerBytes: 0.81e9,
  headBytes: 0.52e9,
  hiddenSize: 4096,
  intermediateSize: 11008,
  vocabulary: 32_000,
  layers: 32,
  linearWeights: 6.5e9,
};

describe("sizeSweep", () => {
  it("gives a small model one worker a core", () => {
    const size = sizeSweep(SMALL, { tokens: 4096, variants: 96 }, { cores: 8, freeBytes: 32 * GB }, AUTO);
    expect(size).toMatchObject({ workers: 8, threadsPerWorker: 1, variantsPerWave: 8 });
  });

  it("gives a large model fewer workers with more threads each", () => {
    const size = sizeSweep(LARGE, { tokens: 4096, variants: 96 }, { cores: 16, freeBytes: 16 * GB }, AUTO);
    expect(size.workers).toBeGreaterThan(1);
    expect(size.workers).toBeLessThan(8);
    expect(size.threadsPerWorker).toBe(Math.floor(16 / size.workers));
    expect(size.peakBytes).toBeLessThanOrEqual(size.availableBytes);
  });

  it("starts no more workers than there are variants", () => {
    expect(
      sizeSweep(SMALL, { tokens: 100, variants: 3 }, { cores: 8, freeBytes: 32 * GB }, AUTO),
    ).toMatchObject({ workers: 3, threadsPerWorker: 2 });
  });

  it("counts what quantized activations, medians and smoothing take, each more than the one before", () => {
    const work = { tokens: 4096, variants: 1 };
    const of = (...methods: ("naive" | "super-activation" | "smoothquant")[]): number => {
      const recipes = methods.map((method) => ({
        activations: { method, per: "token" as const, bits: 8, matmuls: false, alpha: 0.85 },
      }));
      const machine = { cores: 1, freeBytes: 64 * GB };
      return sizeSweep(LARGE, { ...work, ...memoryOf(recipes) }, machine, AUTO).peakBytes;
    };
    const largestInput = 4096 * LARGE.intermediateSize * 4;
    expect(of("naive") - of()).toBe(2 * largestInput);
    expect(of("super-activation") - of()).toBe(8 * largestInput);
    expect(of("smoothquant") - of("naive")).toBe(LARGE.layerBytes);
  });

  it("takes what the settings name as it is", () => {
    const settings = { workers: 5, threadsPerWorker: 3, memoryLimitBytes: null };
    expect(
      sizeSweep(SMALL, { tokens: 100, variants: 3 }, { cores: 2, freeBytes: GB }, settings),
    ).toMatchObject({ workers: 5, threadsPerWorker: 3 });
  });

  it("fits its waves into the memory it may use, or shows that even the smallest does not fit", () => {
    fc.assert(
      fc.property(
        fc.record({ tokens: fc.integer({ min: 1, max: 2e6 }), variants: fc.integer({ min: 1, max: 1e5 }) }),
        fc.integer({ min: 1, max: 128 }),
        fc.integer({ min: 1, max: 512 }),
        (work, cores, gigabytes) => {
          const size = sizeSweep(LARGE, work, { cores, freeBytes: gigabytes * GB }, AUTO);
          const smallest = size.workers === 1 && size.variantsPerWave === 1;
          return (
            size.workers <= cores &&
            size.workers * size.threadsPerWorker <= cores &&
            (smallest || size.peakBytes <= size.availableBytes)
          );
        },
      ),
    );
  });
});
