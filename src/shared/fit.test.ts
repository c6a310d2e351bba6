import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { cacheBytes, cacheType, FIT_MACHINES, fitOf, fitRuntime, type FitShape } from "./fit.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** llama.cpp's figures are rounded to two decimals. */
const ROUNDING_MIB = 0.005 + 1e-9;
/** The estimate of a compute buffer may differ from llama.cpp's own by so much of it. */
const BUFFER_TOLERANCE = 0.1;
const golden = z
  .array(
    z.object({
      file: z.string(),
      shape: z.record(z.string(), z.number()),
      cases: z.array(
        z.object({
          context: z.number(),
          type: cacheType,
          cells: z.number(),
          keysMiB: z.number(),
          valuesMiB: z.number(),
          computeMiB: z.number(),
        }),
      ),
    }),
  )
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../test/golden/fit/llama.json"), "utf8")));

/** Llama-2-7B: its keys and values at 4,096 tokens are known to take 2 GiB in 16 bits. */
const LLAMA: FitShape = {
  layers: 32,
  keyValueHeads: 32,
  headSize: 128,
  hiddenSize: 4096,
  intermediateSize: 11008,
  vocabulary: 32000,
  slidingWindow: null,
};
const GPU_8 = { bytes: 8 * GIB, kind: "gpu" } as const;

describe.each(golden)("held to llama.cpp: $file", ({ shape: sizes, cases }) => {
  const shape = { ...sizes, slidingWindow: null } as unknown as FitShape;

  it.each(cases)("$context tokens in $type take the bytes that it reports", (reported) => {
    const mebibytes = cacheBytes(shape, reported.context, reported.type) / MIB;
    expect(Math.abs(mebibytes / 2 - reported.keysMiB)).toBeLessThanOrEqual(ROUNDING_MIB);
    expect(Math.abs(mebibytes / 2 - reported.valuesMiB)).toBeLessThanOrEqual(ROUNDING_MIB);
    const { parts } = fitOf(
      { weightBytes: 0, shape },
      { runtime: "llama.cpp", machine: GPU_8, context: reported.context, cache: reported.type },
    );
    const buffer = (parts.find(({ name }) => name === "Compute buffer")?.bytes ?? NaN) / MIB;
    expect(Math.abs(buffer / reported.computeMiB - 1)).toBeLessThanOrEqual(BUFFER_TOLERANCE);
  });
});

describe("whether a model fits", () => {
  it("counts grouped key and value heads, not query heads", () => {
    expect(cacheBytes(LLAMA, 4096)).toBe(2 * GIB);
    expect(cacheBytes({ ...LLAMA, keyValueHeads: 8 }, 4096)).toBe(GIB / 2);
    expect(cacheBytes(LLAMA, 4096, "q8", "vLLM")).toBe(GIB);
  });

  it.each(fitRuntime.options)("in %s: weights, cache and every part of the overhead add up", (runtime) => {
    const asked = { runtime, machine: GPU_8, context: 4096, cache: "f16" } as const;
    const fit = fitOf({ weightBytes: 4 * GIB, shape: LLAMA }, asked);
    expect(fit.total).toBe(fit.weights + fit.cache + fit.overhead);
    expect(fit.overhead).toBe(fit.parts.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(fit.parts.every(({ bytes, from }) => bytes > 0 && from.length > 5)).toBe(true);
    expect(fit.fits).toBe(fit.total <= fit.usable);
  });

  it("names the longest context, one token of which more would not fit", () => {
    for (const runtime of fitRuntime.options) {
      const model = { weightBytes: 3.5 * GIB, shape: LLAMA };
      const asked = { runtime, machine: GPU_8, context: 2048, cache: "q8" } as const;
      const { longestContext } = fitOf(model, asked);
      expect(longestContext).toBeGreaterThan(0);
      expect(fitOf(model, { ...asked, context: longestContext }).fits).toBe(true);
      expect(fitOf(model, { ...asked, context: longestContext + 1 }).fits).toBe(false);
    }
    const none = fitOf(
      { weightBytes: 13 * GIB, shape: LLAMA },
      { runtime: "llama.cpp", machine: GPU_8, context: 1, cache: "f16" },
    );
    expect(none).toMatchObject({ fits: false, longestContext: 0 });
  });

  it("leaves vLLM nine tenths of a card", () => {
    const asked = { machine: GPU_8, context: 512, cache: "f16" } as const;
    const model = { weightBytes: 1, shape: LLAMA };
    expect(fitOf(model, { ...asked, runtime: "vLLM" }).usable).toBe(Math.floor(0.9 * 8 * GIB));
    expect(fitOf(model, { ...asked, runtime: "llama.cpp" }).usable).toBe(8 * GIB);
    const ram = { bytes: 8 * GIB, kind: "ram" } as const;
    const inRam = fitOf(model, { ...asked, machine: ram, runtime: "vLLM" });
    expect(inRam.usable).toBe(8 * GIB);
    expect(inRam.parts.map(({ name }) => name)).not.toContain("CUDA graphs");
  });

  it("offers graphics cards from 8 to 80 GB and laptops", () => {
    expect(FIT_MACHINES.map(({ bytes, kind }) => `${kind} ${bytes / GIB}`)).toEqual([
      ...[8, 12, 16, 24, 48, 80].map((size) => `gpu ${size}`),
      "ram 16",
      "ram 32",
    ]);
  });
});
