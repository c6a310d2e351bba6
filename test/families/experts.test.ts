import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { architectureOf, readArchitecture } from "#engine/architecture/readArchitecture.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { ExpertTap } from "#engine/forward/forward.ts";
import { planActivations } from "#engine/recipe/planActivations.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import { scaleWeights } from "#engine/superweight/ablate/edits.ts";
import { scanWeights } from "#engine/superweight/evidence/scanWeights.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden", "families");
const SEPARATE = join(GOLDEN, "qwen3_moe");
const STACKED = join(GOLDEN, "qwen3_moe-fused");

async function open(location: string) {
  const checkpoint = await openCheckpoint(location);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 1 });
  onTestFinished(async () => {
    await forward.close();
    await checkpoint.close();
  });
  return { checkpoint, architecture, forward };
}

/** A checkpoint whose reads are noted: of what, and into which memory. */
function watched(checkpoint: Checkpoint) {
  const reads: { name: string; buffer: ArrayBufferLike }[] = [];
  const read = checkpoint.read.bind(checkpoint);
  vi.spyOn(checkpoint, "read").mockImplementation(async (name, out) => {
    const values = await read(name, out);
    reads.push({ name, buffer: values.buffer });
    return values;
  });
  return reads;
}

const TOKENS = [5, 9, 30, 17, 44];

describe("a layer of experts", () => {
  it("holds one expert at a time in f32, and reads only those that a token reached", async () => {
    const { checkpoint, architecture, forward } = await open(SEPARATE);
    const reads = watched(checkpoint);
    const reader = createLayerReader({ checkpoint, architecture });
    const hidden = await forward.embed(checkpoint, [TOKENS.slice(0, 1)]);
    const taps: number[] = [];
    await forward.layerWithTaps(0, hidden, await reader.read(0), undefined, ({ expert }) =>
      taps.push(expert),
    );
    const ofExperts = reads.filter(({ name }) => name.includes(".experts."));
    expect(taps).toHaveLength(2);
    expect(new Set(ofExperts.map(({ name }) => Number(/experts\.(\d+)\./.exec(name)?.[1])))).toEqual(
      new Set(taps),
    );
    // gate, up and down of one expert: the next one takes their place
    expect(ofExperts).toHaveLength(6);
    expect(new Set(ofExperts.map(({ buffer }) => buffer)).size).toBe(3);
  });

  it("adds up what its experts give by their shares, and counts the tokens of each", async () => {
    const { checkpoint, architecture, forward } = await open(SEPARATE);
    const weights = await createLayerReader({ checkpoint, architecture }).read(0);
    const hidden = await forward.embed(checkpoint, [TOKENS]);
    const { hiddenSize } = architecture.facts;
    const sum = new Float32Array(TOKENS.length * hiddenSize);
    const shares = new Float32Array(TOKENS.length);
    const counts = new Uint32Array(6);
    const seen: number[] = [];
    const visit = (tap: ExpertTap): void => {
      const { rows, output, input, weights: own } = tap;
      const width = input.length / rows.length;
      seen.push(tap.expert);
      counts[tap.expert] += rows.length;
      rows.forEach((row, i) => {
        shares[row] += tap.shares[i];
        for (let c = 0; c < hiddenSize; c++) {
          sum[row * hiddenSize + c] += tap.shares[i] * output[i * hiddenSize + c];
          let product = 0;
          for (let k = 0; k < width; k++) product += input[i * width + k] * own["down_proj"][c * width + k];
          expect(output[i * hiddenSize + c]).toBeCloseTo(product, 4);
        }
      });
    };
    const { taps } = await forward.layerWithTaps(0, hidden, weights, undefined, visit);
    taps.output.forEach((value, i) => expect(value).toBeCloseTo(sum[i], 5));
    for (const share of shares) expect(share).toBeCloseTo(1, 5);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    const reached = new Uint32Array(6);
    await forward.layerWithReach(0, hidden, weights, reached);
    expect(reached).toEqual(counts);
    expect(reached.reduce((a, b) => a + b)).toBe(2 * TOKENS.length);
  });

  it("sends no padding to an expert", async () => {
    const { checkpoint, architecture, forward } = await open(SEPARATE);
    const weights = await createLayerReader({ checkpoint, architecture }).read(0);
    const reached = new Uint32Array(6);
    const padded = await forward.embed(checkpoint, [TOKENS, TOKENS.slice(0, 2)]);
    const both = await forward.layerWithReach(0, padded, weights, reached);
    expect(reached.reduce((a, b) => a + b)).toBe(2 * (TOKENS.length + 2));
    const alone = await forward.layer(0, await forward.embed(checkpoint, [TOKENS.slice(0, 2)]), weights);
    const begin = TOKENS.length * architecture.facts.hiddenSize;
    alone.data.forEach((value, i) => expect(both.data[begin + i]).toBeCloseTo(value, 5));
  });

  it("is quantized expert by expert, its router left alone", async () => {
    const { checkpoint, architecture } = await open(STACKED);
    const recipe = parseRecipe({ scheme: "nf4", bits: 4, granularity: "group:32" });
    const { tensors: plans } = planRecipe({ checkpoint, architecture }, recipe, []);
    const names = [...plans.keys()].filter((name) => name.startsWith("model.layers.1.mlp."));
    expect(names).toHaveLength(3 * 5);
    expect(names).toContain("model.layers.1.mlp.experts.4.up_proj.weight");
    expect(plans.has("model.layers.1.mlp.gate.weight")).toBe(false);
  });
});

describe("weights of experts", () => {
  it("are named by a fourth number: recipes restore them, ablation prunes them", async () => {
    const { checkpoint, architecture } = await open(SEPARATE);
    const recipe = (coordinate: number[]) =>
      parseRecipe({ scheme: "nf4", bits: 4, granularity: "group:32", restore: [coordinate] });
    const plan = (coordinate: number[]) =>
      planRecipe({ checkpoint, architecture }, recipe(coordinate), []).tensors;
    const name = "model.layers.2.mlp.experts.3.down_proj.weight";
    expect(plan([2, 1, 5, 3]).get(name)?.restore).toEqual({ indices: [32 + 5] });
    expect(scaleWeights(architecture, [[2, 1, 5, 3]], 0)).toEqual(
      new Map([[name, [{ index: 32 + 5, factor: 0 }]]]),
    );
    // layer 1 is dense, and wider
    expect([...scaleWeights(architecture, [[1, 1, 1]], 0)]).toEqual([
      ["model.layers.1.mlp.down_proj.weight", [{ index: 64 + 1, factor: 0 }]],
    ]);
  });

  it("are refused without the expert's number, with one that there is not, and in layers without experts", async () => {
    const { checkpoint, architecture } = await open(SEPARATE);
    const restoring = (coordinate: number[]) => () => {
      const recipe = parseRecipe({ scheme: "nf4", bits: 4, granularity: "group:32", restore: [coordinate] });
      planRecipe({ checkpoint, architecture }, recipe, []);
    };
    expect(restoring([2, 1, 1])).toThrow(
      'The recipe restores [2, 1, 1], but layer 2 has experts, each with a down_proj of its own ("model.layers.2.mlp.experts.*.down_proj.weight").',
    );
    expect(restoring([2, 1, 1, 6])).toThrow(
      'The recipe restores [2, 1, 1, 6], but the model has no 2-D tensor "model.layers.2.mlp.experts.6.down_proj.weight".',
    );
    expect(restoring([1, 1, 1, 0])).toThrow("The recipe restores [1, 1, 1, 0], but layer 1 has no experts.");
    const pruning =
      (...coordinate: Coordinate) =>
      () =>
        scaleWeights(architecture, [coordinate], 0);
    expect(pruning(2, 1, 1)).toThrow(
      "There is no weight [2, 1, 1]: layer 2 has 6 experts, each with a down_proj of its own.",
    );
    expect(pruning(2, 1, 1, 6)).toThrow("There is no weight [2, 1, 1, 6]: layer 2 has 6 experts.");
    expect(pruning(1, 1, 1, 0)).toThrow("There is no weight [1, 1, 1, 0]: layer 1 has no experts.");
  });

  it("have no quantized inputs, which is said", async () => {
    const { architecture } = await open(SEPARATE);
    const activations = { bits: 8, per: "token", matmuls: false, method: "naive", alpha: 0.85 } as const;
    expect(() => planActivations(activations, { architecture, superWeights: [], maxima: null })).toThrow(
      "The recipe quantizes activations, which is not computed for models with experts.",
    );
  });

  it("are scanned expert by expert", async () => {
    const { checkpoint } = await open(SEPARATE);
    const { layers } = await scanWeights(checkpoint);
    expect(layers).toHaveLength(3 * 6 + 1);
    expect(layers.map(({ tensor }) => tensor)).toContain("model.layers.3.mlp.experts.5.down_proj.weight");
  });
});

describe("a model of experts that is not whole", () => {
  const configOf = async (folder: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as Record<string, unknown>;

  it("is refused by the tensor of the expert that is missing", async () => {
    const { checkpoint } = await open(SEPARATE);
    const tensors = new Map(checkpoint.tensors);
    tensors.delete("model.layers.2.mlp.experts.3.up_proj.weight");
    expect(() => readArchitecture(checkpoint.config, tensors)).toThrow(
      'The checkpoint has no tensor "model.layers.2.mlp.experts.3.up_proj.weight", which config.json implies with shape (32, 32).',
    );
  });

  it("is refused where an expert has another size", async () => {
    const { checkpoint } = await open(SEPARATE);
    const config = { ...checkpoint.config, moe_intermediate_size: 16 };
    expect(() => readArchitecture(config, checkpoint.tensors)).toThrow(
      'Tensor "model.layers.0.mlp.experts.0.gate_proj.weight" has shape (32, 32), but config.json implies (16, 32).',
    );
  });

  it("is refused where its one tensor holds another number of experts", async () => {
    const folder = await temporaryFolder();
    await cp(STACKED, folder, { recursive: true });
    const config = { ...(await configOf(folder)), num_experts: 6 };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const checkpoint = await openCheckpoint(folder);
    onTestFinished(() => checkpoint.close());
    expect(() => architectureOf(checkpoint)).toThrow(
      'Tensor "model.layers.1.mlp.experts.gate_up_proj" has shape (5, 64, 32), but config.json implies (6, 64, 32).',
    );
  });

  it("is refused where its router is of another kind, or asks for more experts than there are", async () => {
    const { checkpoint } = await open(SEPARATE);
    const read = (fields: object) => () =>
      readArchitecture({ ...checkpoint.config, ...fields }, checkpoint.tensors);
    expect(read({ scoring_func: "sigmoid" })).toThrow(
      "its router scores experts by sigmoid, and qwen3_moe by softmax (scoring_func).",
    );
    expect(read({ num_experts_per_tok: 7 })).toThrow(
      "a token is to go through 7 experts, and a layer has 6.",
    );
  });

  it("is refused where tensors of another router stand beside its own", async () => {
    const { checkpoint } = await open(SEPARATE);
    const name = "model.layers.0.mlp.gate.e_score_correction_bias";
    const entry = { name, kind: "tensor" as const, notUsedBecause: { code: "unclaimed", text: "" } };
    expect(() =>
      architectureOf({ config: checkpoint.config, tensors: checkpoint.tensors, inventory: [entry] }),
    ).toThrow(`The checkpoint holds "${name}", which the equations of qwen3_moe have no place for.`);
  });
});
