import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recipeInNewWords } from "#shared/oldWords.ts";
import type { SchemeName } from "#shared/schemes/index.ts";
import { READ_TYPES } from "#engine/formats/gguf/layout/ggmlTypes.ts";
import { unpackBlocks } from "#engine/formats/gguf/read/blocks/unpackBlocks.ts";
import { toStorageBytes } from "#engine/formats/write/storageBytes.ts";
import { packBlocks, type PackedType } from "#engine/formats/gguf/write/packBlocks.ts";
import { dequantize, quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { testPlan } from "../support/quantize/testPlan.ts";

/** Written by scripts/golden/gguf_quants.py with ggml's own quantizer. */
interface Golden {
  cases: { name: string; scheme: SchemeName; weights: string; bytes: string; values: string }[];
  /** Every weight rounded to a type. */
  halves: { name: string; scheme: "f16" | "bf16"; weights: string; bytes: string; values: string }[];
  superBlocks: { type: string; bytes: string; values: string }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../golden/gguf/blocks.json", import.meta.url), "utf8"),
  (_key, value: unknown) => recipeInNewWords(value, { addIssue: () => undefined }),
) as Golden;
const BITS: Partial<Record<SchemeName, number>> = { q4_0: 4, q4_1: 4, q5_0: 5, q5_1: 5, q8_0: 8 };

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);
const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);
const planOf = (scheme: SchemeName, columns: number) =>
  testPlan({ rows: 1, columns }, { scheme, bits: BITS[scheme] ?? 0, granularity: "group:32" });

/** Written by scripts/golden/gguf_types.py: random blocks, and what ggml makes of them. */
const readTypes = JSON.parse(
  readFileSync(new URL("../golden/gguf/readTypes.json", import.meta.url), "utf8"),
) as { types: Golden["superBlocks"] };

describe("the blocks of other tools' files", () => {
  it("are of every type that is read and not written", () => {
    const written = ["F32", "F16", "BF16", ...Object.keys(BITS).map((scheme) => scheme.toUpperCase())];
    expect(readTypes.types.map(({ type }) => type)).toEqual(
      expect.arrayContaining(READ_TYPES.filter((type) => !written.includes(type))),
    );
  });

  for (const { type, bytes, values } of [...golden.superBlocks, ...readTypes.types]) {
    it(`${type} gives ggml's own values`, () => {
      const expected = floatsOf(values);
      const read = new Float32Array(expected.length);
      unpackBlocks(type, bytesOf(bytes), read);
      expect(bitsOf(read)).toEqual(bitsOf(expected));
    });
  }
});

describe("the schemes that are types", () => {
  it("are both in the fixture", () => {
    expect(new Set(golden.halves.map(({ scheme }) => scheme))).toEqual(new Set(["f16", "bf16"]));
  });

  for (const { name, scheme, ...texts } of golden.halves) {
    it(`${scheme} gives ggml's own bytes and values: ${name}`, () => {
      const weights = floatsOf(texts.weights);
      const judged = new Float32Array(weights.length);
      quantizeDequantize(
        weights,
        testPlan({ rows: 1, columns: weights.length }, { scheme, bits: 16 }),
        judged,
      );
      expect(bitsOf(judged)).toEqual(bitsOf(floatsOf(texts.values)));
      const stored = toStorageBytes(judged, scheme === "f16" ? "F16" : "BF16", name);
      expect(Buffer.from(stored).toString("hex")).toBe(Buffer.from(bytesOf(texts.bytes)).toString("hex"));
    });
  }
});

describe("the schemes of GGUF", () => {
  for (const { name, scheme, ...texts } of golden.cases) {
    it(`${scheme} gives ggml's own bytes and values: ${name}`, () => {
      const weights = floatsOf(texts.weights);
      const plan = planOf(scheme, weights.length);
      const packed = quantize(weights, plan);
      const bytes = packBlocks(scheme.toUpperCase() as PackedType, packed);
      expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(bytesOf(texts.bytes)).toString("hex"));
      const values = bitsOf(floatsOf(texts.values));
      expect(bitsOf(dequantize(packed))).toEqual(values);
      const judged = new Float32Array(weights.length);
      quantizeDequantize(weights, plan, judged);
      expect(bitsOf(judged)).toEqual(values);
      const read = new Float32Array(weights.length);
      unpackBlocks(scheme.toUpperCase(), bytes, read);
      expect(bitsOf(read)).toEqual(values);
    });
  }

  it("read back what was judged, for any weights, clipped or not", () => {
    const weights = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), {
      minLength: 64,
      maxLength: 64,
    });
    const clips = fc.constantFrom(
      null,
      { method: "zscore" as const, threshold: 1.5 },
      { method: "mse" as const },
    );
    fc.assert(
      fc.property(weights, clips, fc.constantFrom(...Object.keys(BITS)), (values, range, name) => {
        const scheme = name as SchemeName;
        const packed = quantize(Float32Array.from(values), { ...planOf(scheme, 64), range });
        const read = new Float32Array(64);
        unpackBlocks(scheme.toUpperCase(), packBlocks(scheme.toUpperCase() as PackedType, packed), read);
        expect(bitsOf(read)).toEqual(bitsOf(dequantize(packed)));
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses a block whose constants are past f16, which ggml would store as infinity", () => {
    for (const scheme of Object.keys(BITS) as SchemeName[]) {
      const weights = new Float32Array(32).fill(-9e6);
      weights[3] = 9e6;
      expect(() => quantize(weights, planOf(scheme, 32)), scheme).toThrow(/past 65504/);
    }
  });
});
