import { describe, expect, it, vi } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { scoreOriginal, scoreWave } from "#engine/evaluate/score.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { adaptVariant } from "#engine/export/variant/adaptVariant.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { Method } from "#engine/quantize/methods/method.ts";
import type { InputStatistics, TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { dequantize, quantize } from "#engine/quantize/quantize.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import type { PlannedModel } from "#engine/recipe/planRecipe.ts";
import { recipeId } from "#engine/recipe/recipeId.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import { judge, parseRecipe } from "#shared/plan.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { planVariant } from "#worker/model/variants.ts";
import type { Tokenizer } from "../../src/engine/tokenizer/tokenizer.ts";
import { testPlan, testWeights } from "../support/quantize/testPlan.ts";
import { bench, exportTo, modelOf, verifying, type Bench } from "./exporting.ts";

/*
 * A second method, of a kind that rounding each weight by itself is not: it goes over the whole tensor again and again, and chooses
 * by the inputs that calibration measured. It stands in the two tables of methods and nowhere else.
 */
const DESCENT = "descent" as "rtn";

vi.mock(import("#shared/methods/table.ts"), async (original) => {
  const { TABLE } = await original();
  const descent = { title: "coordinate descent", label: "descent", schemes: ["gptq-int", "int"] };
  return { TABLE: { ...TABLE, descent } };
});

vi.mock(import("#engine/quantize/methods/methods.ts"), async (original) => {
  const { METHODS } = await original();
  const { blockLayout } = await import("#engine/quantize/plan/blockLayout.ts");
  const { createScheme } = await import("#engine/quantize/schemes/createScheme.ts");
  /** Least Σ‖(w − ŵ)·x‖² over the inputs: from the nearest codes on, each moves by one while that lowers the sum. */
  const descent: Method = {
    codes(weights, plan, restored, out) {
      const { constants, clipped } = METHODS.rtn.codes(weights, plan, restored, out);
      const { count, size } = blockLayout(plan);
      const scheme = createScheme(plan, count, constants);
      const value = new Float32Array(1);
      const decoded = (index: number, code: number): number => {
        scheme.decode(Math.floor(index / size), Uint8Array.of(code), 0, 1, value, 0);
        return value[0];
      };
      const products = productsOf(plan);
      const errors = Float64Array.from(weights, (weight, i) =>
        restored.includes(i) ? 0 : weight - decoded(i, out[i]),
      );
      for (let moved = true; moved;) {
        moved = false;
        for (let i = 0; i < out.length; i++) {
          const [row, column] = [Math.floor(i / plan.columns) * plan.columns, i % plan.columns];
          let slope = 0;
          for (let k = 0; k < plan.columns; k++)
            slope += errors[row + k] * products[column * plan.columns + k];
          const code = out[i] + (slope > 0 ? 1 : -1);
          if (restored.includes(i) || code < 0 || code >= scheme.levels) continue;
          const step = weights[i] - decoded(i, code) - errors[i];
          if (2 * step * slope + step * step * products[column * plan.columns + column] > -1e-9) continue;
          out[i] = code;
          errors[i] += step;
          moved = true;
        }
      }
      return { codes: out, constants, clipped };
    },
  };
  return { METHODS: { ...METHODS, descent } };
});

/** Of inputs that share a mean, where nothing was measured. */
function productsOf({ columns, inputs }: TensorPlan): Float64Array {
  return (
    inputs?.products?.() ??
    Float64Array.from({ length: columns * columns }, (_, i) => (i % (columns + 1) === 0 ? 1.5 : 0.5))
  );
}

/** Σ‖(w − ŵ)·x‖² of all rows. */
function outputError(weights: Float32Array, made: Float32Array, plan: TensorPlan): number {
  const { columns } = plan;
  const products = productsOf(plan);
  let sum = 0;
  for (let row = 0; row < weights.length; row += columns)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < columns; k++)
        sum +=
          (weights[row + j] - made[row + j]) * (weights[row + k] - made[row + k]) * products[j * columns + k];
  return sum;
}

/** Inputs of which the channels from `loud` on are louder than the others. */
function inputsOf(columns: number, loud: number): InputStatistics {
  const size = (channel: number): number => (channel >= loud ? 4 : 1);
  return {
    products: () =>
      Float64Array.from({ length: columns ** 2 }, (_, i) => {
        const [j, k] = [Math.floor(i / columns), i % columns];
        return size(j) * size(k) * (j === k ? 1.5 : 0.9);
      }),
    squares: () => Float32Array.from({ length: columns }, (_, channel) => size(channel) ** 2 * 1.5),
  };
}

describe("a method that goes over the whole tensor", () => {
  const shape = { rows: 8, columns: 32 };
  const weights = testWeights(shape.rows * shape.columns);
  const made = (plan: TensorPlan): Float32Array => {
    const out = new Float32Array(weights.length);
    quantizeDequantize(weights, plan, out);
    return out;
  };

  it("makes the same weights for scoring as its codes decode to, with their error and bits", () => {
    const plan = testPlan(shape, {
      ...{ scheme: "int", granularity: "group:16", method: DESCENT, storage: "F16" },
      restore: { indices: [3, 40] },
    });
    const out = new Float32Array(weights.length);
    const statistics = quantizeDequantize(weights, plan, out);
    expect(dequantize(quantize(weights, plan))).toEqual(out);
    expect([out[3], out[40]]).toEqual([weights[3], weights[40]]);
    const squares = Array.from(weights, (weight, i) => (weight - out[i]) ** 2);
    expect(statistics.sumSquaredError).toBeCloseTo(squares.reduce((sum, one) => sum + one));
    const nearest = quantizeDequantize(weights, { ...plan, method: "rtn" }, new Float32Array(weights.length));
    expect(statistics).toMatchObject({ weights: 256, restored: 2, storedBits: nearest.storedBits });
    expect(statistics.sumSquaredError).toBeGreaterThan(nearest.sumSquaredError);
  });

  it("chooses by what calibration measured of the inputs", () => {
    const plan = testPlan(shape, {
      ...{ scheme: "int", granularity: "group:16", method: DESCENT },
      inputs: inputsOf(shape.columns, 24),
    });
    const [own, nearest] = [made(plan), made({ ...plan, method: "rtn" })];
    expect(outputError(weights, own, plan)).toBeLessThan(0.5 * outputError(weights, nearest, plan));
    const elsewhere = made({ ...plan, inputs: inputsOf(shape.columns, 8) });
    expect(elsewhere).not.toEqual(own);
  });
});

const SIZES = {
  hidden: 32,
  intermediate: 64,
  heads: 4,
  keyValueHeads: 4,
  vocabulary: 64,
  storage: "F16",
} as const;
const GPTQ = { scheme: "gptq-int", bits: 4, granularity: "group:16", method: "descent" };

/** A text of letters, one token each. */
const letters: Tokenizer = {
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0) % SIZES.vocabulary),
  decode: String,
  tokenText: String,
  bos: 1,
  eos: 2,
  prefix: 1,
};

/** A checkpoint whose linears' inputs were measured. */
async function measured(): Promise<{ made: Bench; model: ExportModel & PlannedModel }> {
  const made = await bench(
    { ...SIZES, deviation: 0.3 },
    { scheme: "affine", bits: 4, granularity: "channel" },
  );
  const inputs = (name: string): InputStatistics =>
    inputsOf(made.checkpoint.tensors.get(name)?.shape[1] ?? 0, 20);
  return { made, model: { ...modelOf(made.checkpoint), inputs } };
}

describe("a recipe that names it", () => {
  const recipe = parseRecipe(GPTQ);

  it("is another recipe than the one to nearest, and says so in its label", () => {
    const nearest = parseRecipe({ ...GPTQ, method: "rtn" });
    expect(recipeLabel(recipe)).toBe("gptq-int4 descent, group 16");
    expect(recipeLabel(nearest)).toBe("gptq-int4, group 16");
    expect(recipeId(recipe)).not.toBe(recipeId(nearest));
  });

  it("is refused with a scheme whose codes it does not give, of an override too", () => {
    const message = /descent gives codes of gptq-int, int, not of/;
    expect(() => parseRecipe({ ...GPTQ, scheme: "affine" })).toThrow(message);
    expect(() =>
      parseRecipe({ ...GPTQ, overrides: [{ match: "*", scheme: "q8_0", bits: 8, granularity: "group:32" }] }),
    ).toThrow(message);
  });

  it.each<ExportFormat>(["gptq", "safetensors"])(
    "is scored, exported as %s and scored again, with the same weights and numbers",
    async (format) => {
      const { made, model } = await measured();
      const { variant } = adaptVariant(model, { recipe, format, kept: "unquantized" });
      const exported = { ...made, variant };
      const { verified } = await exportTo(exported, { format, verify: verifying(exported, format) });
      expect(verified?.maxAbsDiff).toBe(0);

      const windows = cutWindows(
        ["the quick brown fox jumps over the lazy dog"],
        letters,
        judge.parse({}),
        64,
      );
      const forward = await createForward(model.architecture, { device: "cpu", threads: 1 });
      const engine = { ...model, forward };
      const reference = await scoreOriginal({ ...engine, windows });
      const variants = [recipe, parseRecipe({ ...GPTQ, method: "rtn" })].map(
        (each) => planVariant(engine, { id: each.method, recipe: each, superWeights: [] }).variant,
      );
      const scored = await scoreWave({ ...engine, windows, reference, variants });
      await forward.close();
      const [own, nearest] = scored.map(({ scores }) => scores?.perplexity ?? NaN);
      const reopened = await scoredAt(made.out, windows);
      expect(reopened.scores.perplexity).toBeCloseTo(own, 6);
      expect(own).not.toBeCloseTo(nearest, 3);
    },
  );
});

async function scoredAt(folder: string, windows: WindowSet): Promise<OriginalReference> {
  const checkpoint = await openCheckpoint(folder);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  const scored = await scoreOriginal({ checkpoint, architecture, forward, windows });
  await forward.close();
  await checkpoint.close();
  return scored;
}
