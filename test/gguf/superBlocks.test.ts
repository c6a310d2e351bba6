import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SchemeName } from "#shared/schemes/index.ts";
import { SCHEMES } from "#shared/schemes/index.ts";
import { unpackBlocks } from "#engine/formats/gguf/read/blocks/unpackBlocks.ts";
import { packBlocks, type PackedType } from "#engine/formats/gguf/write/packBlocks.ts";
import type { InputStatistics, TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { dequantize, quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import { testPlan } from "../support/quantize/testPlan.ts";

/** Written by scripts/golden/gguf_super_blocks.py with ggml's own quantizer. */
interface Golden {
  readonly importance: string;
  readonly rows: Readonly<
    Record<string, { weights: string } & Record<"plain" | "weighed", Record<PackedType, string>>>
  >;
}

const golden = JSON.parse(
  readFileSync(new URL("../golden/gguf/superBlocks.json", import.meta.url), "utf8"),
) as Golden;
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const TYPES: readonly PackedType[] = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"];
const importance: InputStatistics = { squares: () => floatsOf(golden.importance) };

function planOf(
  type: PackedType,
  rows: number,
  changes: Partial<Pick<TensorPlan, "inputs">> = {},
): TensorPlan {
  const scheme = type.toLowerCase() as SchemeName;
  const [bits] = SCHEMES[scheme].bits;
  const granularity = String(SCHEMES[scheme].granularities);
  return testPlan({ rows, columns: 512 }, { scheme, bits, granularity, ...changes });
}

describe("ggml's types whose scales are searched for", () => {
  for (const [name, { weights, ...expected }] of Object.entries(golden.rows))
    for (const type of TYPES)
      for (const way of ["plain", "weighed"] as const)
        it(`${type} is ggml's own bytes, ${way}: ${name}`, () => {
          const plan = planOf(type, 1, way === "weighed" ? { inputs: importance } : {});
          const packed = quantize(floatsOf(weights), plan);
          expect(hex(packBlocks(type, packed))).toBe(hex(bytesOf(expected[way][type])));
        });

  it("are judged by what their blocks mean, whichever way ŵ is made", () => {
    const rows = Object.values(golden.rows).map(({ weights }) => floatsOf(weights));
    const weights = new Float32Array(rows.flatMap((row) => [...row]));
    for (const type of TYPES) {
      const plan = planOf(type, rows.length, { inputs: importance });
      const judged = new Float32Array(weights.length);
      quantizeDequantize(weights, plan, judged);
      const packed = quantize(weights, plan);
      expect(dequantize(packed)).toEqual(judged);
      const stored = new Float32Array(weights.length);
      unpackBlocks(type, packBlocks(type, packed), stored);
      expect(stored, type).toEqual(judged);
    }
  });
});
