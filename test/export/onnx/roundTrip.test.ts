import { textsOf } from "#shared/notes.ts";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { freely, SUPER_WEIGHT } from "../exporting.ts";
import {
  temporaryFolder,
  writeSyntheticCheckpoint,
  type SyntheticOptions,
} from "../../support/syntheticCheckpoint.ts";
import { exportDecoder, exportModel, onnxVariant } from "./exportDecoder.ts";

const BUILT = join(import.meta.dirname, "..", "..", "golden", "onnx");
const SUPER_WEIGHTS: readonly Coordinate[] = [[1, SUPER_WEIGHT.row, SUPER_WEIGHT.column]];
/** Sizes that 16 divides and larger blocks do not: last blocks are short. */
const SIZES: SyntheticOptions = { hidden: 48, intermediate: 80, heads: 4, keyValueHeads: 2 };

async function source(options: SyntheticOptions = {}): Promise<Checkpoint> {
  return openCheckpoint(await writeSyntheticCheckpoint({ ...SIZES, plant: [SUPER_WEIGHT], ...options }));
}

/** Exports, reopens with the reader, and holds every weight against what was judged. @returns the largest difference */
async function verified(checkpoint: Checkpoint, recipe: unknown): Promise<number> {
  const model = exportModel(checkpoint, SUPER_WEIGHTS);
  const out = await exportDecoder(checkpoint, await temporaryFolder(), recipe, SUPER_WEIGHTS);
  const { maxAbsDiff } = await verifyExport({
    source: checkpoint,
    variant: onnxVariant(model, recipe).variant,
    carried: exporters.onnx.tensors?.(model),
    out,
    evaluate: () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 }),
    control: freely,
  });
  return maxAbsDiff;
}

describe("an ONNX decoder, reopened", () => {
  for (const scheme of ["matmulnbits", "int", "compressed-tensors"]) {
    for (const bits of [4, 8]) {
      for (const symmetric of [true, false]) {
        it(`holds exactly the judged weights: ${scheme}, ${bits} bits, ${symmetric ? "symmetric" : "asymmetric"}, every block`, async () => {
          const checkpoint = await source({ storage: "BF16" });
          for (const size of scheme === "matmulnbits" ? [16, 32, 64, 128, 256] : [16]) {
            const recipe = {
              scheme,
              bits,
              symmetric,
              granularity: `group:${size}`,
              restore: "super-weights",
            };
            expect(await verified(checkpoint, recipe)).toBe(0);
          }
          await checkpoint.close();
        });
      }
    }
  }

  for (const storage of ["F32", "F16", "BF16"] as const) {
    for (const tied of [true, false]) {
      it(`holds them with everything quantized, clipped and many restored, from ${storage}, head ${tied ? "tied" : "untied"}`, async () => {
        const checkpoint = await source({ storage, tied });
        const recipe = {
          ...{ scheme: "matmulnbits", bits: 4, granularity: "group:32", ignore: [] },
          ...{ range: { method: "zscore", threshold: 2 }, restore: { largest: 7 }, excludeFromRange: true },
        };
        expect(await verified(checkpoint, recipe)).toBe(0);
        await checkpoint.close();
      });
    }
  }

  it("holds them where its class alone names a family whose matrices are fused", async () => {
    const checkpoint = await source({ family: "phi3", config: { model_type: undefined } });
    expect(await verified(checkpoint, { scheme: "matmulnbits", bits: 4, granularity: "group:16" })).toBe(0);
    await checkpoint.close();
  });

  it("opens where config.json has a number as Python writes it", async () => {
    const folder = await writeSyntheticCheckpoint({ ...SIZES, plant: [SUPER_WEIGHT] });
    const config = join(folder, "config.json");
    await writeFile(config, (await readFile(config, "utf8")).replace(/\}\s*$/, ', "limit": Infinity }'));
    const checkpoint = await openCheckpoint(folder);
    expect(await verified(checkpoint, { scheme: "matmulnbits", bits: 4, granularity: "group:16" })).toBe(0);
    await checkpoint.close();
  });

  it("holds any recipe's weights that the format takes", async () => {
    const checkpoint = await source({ storage: "F16" });
    const recipes = fc.record({
      scheme: fc.constantFrom("matmulnbits", "int"),
      bits: fc.constantFrom(4, 8),
      symmetric: fc.boolean(),
      granularity: fc.constantFrom("group:16"),
      clip: fc.constantFrom(null, { method: "mse" }, { method: "iqr", threshold: 1.5 }),
      restore: fc.constantFrom("none", "super-weights", { largest: 3 }),
      ignore: fc.constantFrom([], ["*lm_head*"], ["*.q_proj.*", "*embed*", "*norm*"]),
    });
    await fc.assert(
      fc.asyncProperty(recipes, async (recipe) => {
        expect(await verified(checkpoint, recipe)).toBe(0);
      }),
      { numRuns: 20 },
    );
    await checkpoint.close();
  });

  it("lists what is packed, how, and what a weight costs in the file", async () => {
    const checkpoint = await source();
    const recipe = { scheme: "matmulnbits", bits: 4, granularity: "group:16", restore: "super-weights" };
    const reopened = await openCheckpoint(
      await exportDecoder(checkpoint, await temporaryFolder(), recipe, SUPER_WEIGHTS),
    );
    const tensor = reopened.tensors.get(SUPER_WEIGHT.tensor);
    // 80 columns: 4-bit codes, and for each of 5 blocks an f32 scale; 3 bytes of zero points a row; 12 bytes restored
    const bytes = 48 * (40 + 5 * 4 + 3) + 12;
    expect(tensor).toMatchObject({
      dtype: "F32",
      bytes,
      packed: { scheme: "MatMulNBits int4, group 16, 1 restored", bitsPerWeight: (8 * bytes) / (48 * 80) },
    });
    expect(reopened.tensors.get("lm_head.weight")?.packed).toBeUndefined();
    const row = await reopened.readRows(SUPER_WEIGHT.tensor, [SUPER_WEIGHT.row, 0]);
    expect(row[SUPER_WEIGHT.column]).toBe(SUPER_WEIGHT.value);
    const whole = await reopened.read(SUPER_WEIGHT.tensor);
    expect(row.subarray(80)).toEqual(whole.subarray(0, 80));
    await reopened.close();
    await checkpoint.close();
  });

  it("takes the head that a file stores although its config ties it, and says so", async () => {
    const checkpoint = await source({ tied: false, config: { tie_word_embeddings: true } });
    const recipe = { scheme: "matmulnbits", bits: 4, granularity: "group:16" };
    expect(await verified(checkpoint, recipe)).toBe(0);
    expect(checkpoint.config["tie_word_embeddings"]).toBe(false);
    expect(textsOf(checkpoint.notes).join(" ")).toContain('"lm_head.weight" holds other values');
    await checkpoint.close();
  });

  it("is a source like any other: packed and transposed weights leave as what they are", async () => {
    const built = await openCheckpoint(join(BUILT, "builder-untied"));
    for (const scheme of ["matmulnbits", "int"]) {
      const recipe = {
        scheme,
        bits: 8,
        granularity: "group:16",
        ignore: ["*.self_attn.*", "*embed*", "*lm_head*"],
      };
      expect(await verified(built, recipe)).toBe(0);
    }
    await built.close();
  });

  it("is not verified once a byte of it changed", async () => {
    const checkpoint = await source();
    const recipe = { scheme: "matmulnbits", bits: 8, granularity: "group:16" };
    const model = exportModel(checkpoint);
    const out = await exportDecoder(checkpoint, await temporaryFolder(), recipe);
    const file = join(out, "model.onnx.data");
    const bytes = await readFile(file);
    bytes[bytes.byteLength - 1] ^= 1;
    await writeFile(file, bytes);
    const input = { source: checkpoint, variant: onnxVariant(model, recipe).variant, out, control: freely };
    await expect(
      verifyExport({ ...input, evaluate: () => Promise.reject(new Error("never asked")) }),
    ).rejects.toMatchObject({ code: "export/differs" });
    await checkpoint.close();
  });
});
