import type { Note } from "#shared/notes.ts";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import type { Decoder } from "#engine/architecture/description/description.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { checkExport } from "#engine/export/checkExport.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { verifyExport } from "#engine/export/verify/verifyExport.ts";
import { parseRecipe } from "#shared/plan.ts";
import { expectSum, float32Bound } from "../support/rounding.ts";
import {
  adapted,
  bench,
  exportTo,
  freely,
  modelOf,
  SUPER_WEIGHT,
  tree,
  type Bench,
} from "../export/exporting.ts";
import { largestDifference } from "../forward/runModel.ts";
import type { SyntheticOptions } from "../support/syntheticCheckpoint.ts";

const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;
const RECIPES = [
  { scheme: "q4_0", bits: 4, granularity: "group:32" },
  { scheme: "q4_1", bits: 4, granularity: "group:32", range: { method: "mse" } },
  { scheme: "q5_0", bits: 5, granularity: "group:32" },
  { scheme: "q5_1", bits: 5, granularity: "group:32", range: { method: "zscore", threshold: 2 } },
  { scheme: "q8_0", bits: 8, granularity: "group:32" },
  { scheme: "int", bits: 4, symmetric: true, granularity: "group:32" },
  { scheme: "int", bits: 5, symmetric: true, granularity: "group:32" },
  { scheme: "int", bits: 8, symmetric: true, granularity: "group:32" },
  { scheme: "f16", bits: 16, granularity: "tensor", ignore: [] },
  { scheme: "bf16", bits: 16, granularity: "tensor", ignore: [] },
  { scheme: "iq4_nl", bits: 4, granularity: "group:32" },
] as const;

const FACTORS = [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7];

const unevaluated = () => Promise.resolve({ perplexity: null, judgedPerplexity: null, tokens: 0 });

async function made(
  options: SyntheticOptions,
  recipe: unknown,
  kept?: "8-bit",
): Promise<Bench & { changes: readonly Note[] }> {
  const source = await bench({ ...SHAPE, ...options });
  const { variant, changes } = adapted(source.checkpoint, recipe, "gguf", kept);
  const whole = { ...source, variant, changes };
  await exportTo(whole, { format: "gguf" });
  return whole;
}

function verified({ checkpoint, variant, out }: Bench) {
  return verifyExport({ source: checkpoint, variant, out, evaluate: unevaluated, control: freely });
}

/** The equations but for the angles of positions. */
const withoutRotary = (decoder: Decoder): unknown =>
  JSON.parse(JSON.stringify(decoder, (name, value: unknown) => (name === "settings" ? null : value)));

describe("exporting as GGUF", () => {
  for (const recipe of RECIPES) {
    for (const storage of ["F32", "F16", "BF16"] as const) {
      it(`reopens to exactly the judged weights: ${recipe.scheme}${recipe.bits} from ${storage}`, async () => {
        const done = await made({ storage, shards: 2 }, recipe);
        expect((await verified(done)).maxAbsDiff).toBe(0);
      });
    }
  }

  it("reopens to exactly the judged weights: a mix, named by the file, and rows that 256 does not divide", async () => {
    const done = await made({ storage: "BF16", hidden: 256, heads: 4 }, { scheme: "q4_k_m" });
    expect((await verified(done)).maxAbsDiff).toBe(0);
    expect((await readdir(done.out)).filter((name) => name.endsWith("-Q4_K_M.gguf"))).toHaveLength(1);
    const types = [...(await openCheckpoint(done.out)).tensors.values()].flatMap(
      ({ packed }) => packed?.scheme ?? [],
    );
    expect(new Set(types)).toEqual(new Set(["Q4_K", "Q5_0", "Q6_K", "Q8_0"]));
  });

  it("keeps every bit of what is not quantized: matrices in their type, rows of queries and keys in place, norms in F32", async () => {
    const done = await made(
      { storage: "BF16" },
      { ...RECIPES[0], overrides: [{ match: "*self_attn*", skip: true }] },
    );
    expect((await verified(done)).maxAbsDiff).toBe(0);
    const reopened = await openCheckpoint(done.out);
    for (const part of ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]) {
      const name = `model.layers.1.${part}.weight`;
      const bytes = await done.checkpoint.readBytes(name);
      expect(await reopened.readBytes(name)).toEqual(bytes);
      expect(await reopened.readBytes(name, 131, 1900)).toEqual(bytes.subarray(131, 1900));
      expect(await reopened.readRows(name, [5, 0, 17])).toEqual(
        await done.checkpoint.readRows(name, [5, 0, 17]),
      );
    }
    expect(reopened.tensors.get("model.norm.weight")?.dtype).toBe("F32");
    expect(reopened.tensors.get("model.embed_tokens.weight")?.dtype).toBe("BF16");
    expect(reopened.tensors.get("model.layers.0.mlp.up_proj.weight")?.packed).toEqual({
      scheme: "Q4_0",
      bitsPerWeight: 4.5,
    });
    await reopened.close();
  });

  it("rounds the embedding of an F32 model to F16 where that was judged, beside blocks that a clip cuts", async () => {
    const half = { scheme: "f16", bits: 16 } as const;
    const done = await made(
      { storage: "F32" },
      {
        ...RECIPES[3],
        ignore: [],
        overrides: [
          { match: "*embed_tokens*", ...half },
          { match: "*lm_head*", ...half },
        ],
      },
    );
    expect((await verified(done)).maxAbsDiff).toBe(0);
    const reopened = await openCheckpoint(done.out);
    const name = "model.embed_tokens.weight";
    expect(reopened.tensors.get(name)).toMatchObject({ dtype: "F16", bytes: 2 * 40 * 64 });
    const original = await done.checkpoint.read(name);
    expect(await reopened.read(name)).toEqual(original.map(Math.f16round));
    expect(await reopened.read(name)).not.toEqual(original);
    await reopened.close();
  });

  it("leaves a super weight's module at a half type unquantized where 8 bits are offered: it has more already", async () => {
    const recipe = { ...RECIPES[8], restore: "super-weights" };
    const done = await made({ storage: "F16" }, recipe, "8-bit");
    expect(done.changes[0]?.text).toMatch(/^The module .* stays unquantized, .* more, /);
    const reopened = await openCheckpoint(done.out);
    expect(reopened.tensors.get(SUPER_WEIGHT.tensor)?.dtype).toBe("F16");
    await reopened.close();
  });

  it("names a file of one type after it", async () => {
    for (const [recipe, type] of [
      [RECIPES[8], "F16"],
      [RECIPES[9], "BF16"],
    ] as const) {
      const done = await made({ storage: "F32" }, recipe);
      expect(await tree(done.out)).toContainEqual(expect.stringMatching(new RegExp(`-${type}\\.gguf$`)));
    }
  });

  it("reads rows of packed queries as the whole tensor has them", async () => {
    const done = await made({}, RECIPES[2]);
    const reopened = await openCheckpoint(done.out);
    const name = "model.layers.0.self_attn.q_proj.weight";
    const whole = await reopened.read(name);
    const rows = await reopened.readRows(name, [3, 40]);
    expect(rows).toEqual(Float32Array.from([...whole.subarray(192, 256), ...whole.subarray(2560, 2624)]));
    await reopened.close();
  });

  it("moves rows only, so that blocks along the columns are those of the unmoved tensor", async () => {
    const done = await made({}, RECIPES[0]);
    const name = "model.layers.0.self_attn.k_proj.weight";
    const plan = done.variant.plans.get(name);
    if (!plan) throw new Error("the plan has no keys");
    const weights = await done.checkpoint.read(name);
    const judged = await done.variant.quantize(weights, plan, new Float32Array(weights.length));
    const reopened = await openCheckpoint(done.out);
    expect(await reopened.read(name)).toEqual(judged);
    await reopened.close();
  });

  it("keeps the module of a super weight unquantized or in 8 bits, and says what that costs", async () => {
    const recipe = { ...RECIPES[0], restore: "super-weights" };
    const plain = await made({ storage: "F16" }, recipe);
    expect(plain.changes[0]?.text).toContain(`${SUPER_WEIGHT.tensor} stays unquantized`);
    const eight = await made({ storage: "F16" }, recipe, "8-bit");
    for (const [done, scheme] of [
      [plain, undefined],
      [eight, "Q8_0"],
    ] as const) {
      expect((await verified(done)).maxAbsDiff).toBe(0);
      const reopened = await openCheckpoint(done.out);
      expect(reopened.tensors.get(SUPER_WEIGHT.tensor)?.packed?.scheme).toBe(scheme);
      await reopened.close();
    }
  });

  it("names the file after model and type, and leaves config.json to the metadata", async () => {
    const done = await made({ files: { "tokenizer_config.json": "{}", LICENSE: "MIT" } }, RECIPES[4]);
    const files = await tree(done.out);
    expect(files.filter((name) => name.endsWith(".gguf"))).toEqual([expect.stringMatching(/-Q8_0\.gguf$/)]);
    expect(files).not.toContain("config.json");
    expect(files).toContain("LICENSE");
  });

  for (const config of [
    {},
    { rope_theta: 500_000, rms_norm_eps: 1e-6 },
    { rope_scaling: { rope_type: "linear", factor: 4 } },
    {
      rope_scaling: {
        rope_type: "yarn",
        factor: 4,
        original_max_position_embeddings: 16,
        attention_factor: 1.3,
      },
    },
    {
      rope_scaling: {
        ...{ rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
        original_max_position_embeddings: 16,
      },
    },
    { family: "mistral", sliding_window: 7 },
    { family: "qwen2", rope_theta: 1_000_000 },
    { family: "phi3" },
    { family: "phi3", sliding_window: 5, partial_rotary_factor: 0.75 },
    {
      ...{ family: "phi3", max_position_embeddings: 128, original_max_position_embeddings: 32 },
      rope_scaling: { rope_type: "longrope", short_factor: FACTORS, long_factor: FACTORS.map((f) => 2 * f) },
    },
  ] as const) {
    it(`opens as a folder and as a file with the same equations: ${JSON.stringify(config)}`, async () => {
      const { family = "llama", ...rest } = config as { family?: "llama" };
      const done = await made({ config: rest, tied: true, family }, RECIPES[0]);
      expect((await verified(done)).maxAbsDiff).toBe(0);
      const expected = architectureOf(done.checkpoint);
      const [file = ""] = (await readdir(done.out)).filter((name) => name.endsWith(".gguf"));
      for (const location of [done.out, join(done.out, file)]) {
        const reopened = await openCheckpoint(location);
        const found = architectureOf(reopened);
        for (const length of [30, 100]) {
          const [mine, theirs] = [found, expected].map((each) => each.positionTables(0, length));
          // frequencies and factors go through f32, and the last angle is the largest
          const within = float32Bound({ magnitude: length, terms: 2 });
          const none = new Float32Array(0);
          expectSum(largestDifference(mine.cos ?? none, theirs.cos ?? none), 0, within, "cosines");
        }
        expect(withoutRotary(found.description)).toEqual(withoutRotary(expected.description));
        await reopened.close();
      }
    });
  }

  it("counts bytes up to exactly the announced total", async () => {
    const source = await bench({ ...SHAPE, shards: 2 });
    const { variant } = adapted(source.checkpoint, RECIPES[1], "gguf");
    const seen: { done: number; total: number }[] = [];
    await exportTo(
      { ...source, variant },
      { format: "gguf", control: { check: () => undefined, report: (progress) => seen.push(progress) } },
    );
    expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total);
  });
});

describe("a GGUF model as the source of an export", () => {
  for (const format of ["gguf", "safetensors"] as const) {
    for (const opened of ["folder", "file"] as const) {
      it(`leaves as ${format} with its dequantized weights, opened by its ${opened}`, async () => {
        const first = await made({ storage: "F16" }, RECIPES[2]);
        const [name = ""] = (await readdir(first.out)).filter((each) => each.endsWith(".gguf"));
        const checkpoint = await openCheckpoint(opened === "file" ? join(first.out, name) : first.out);
        const recipe = { ...RECIPES[0], overrides: [{ match: "*self_attn*", skip: true }] };
        const { variant } = adapted(checkpoint, recipe, format);
        const second = { ...first, checkpoint, variant, out: join(first.folder, "second") };
        await exportTo(second, { format });
        expect((await verified(second)).maxAbsDiff).toBe(0);
        const again = await openCheckpoint(second.out);
        expect(architectureOf(again).facts).toEqual(architectureOf(first.checkpoint).facts);
        expect(await again.read("model.layers.1.self_attn.q_proj.weight")).toEqual(
          await checkpoint.read("model.layers.1.self_attn.q_proj.weight"),
        );
        await Promise.all([checkpoint.close(), again.close()]);
      });
    }
  }
});

describe("what GGUF cannot store", () => {
  const codesOf = (recipe: unknown) => exporters.gguf.problems(parseRecipe(recipe)).map(({ code }) => code);

  it("is said before a model is open", () => {
    expect(codesOf({ scheme: "affine", bits: 4, granularity: "group:32" })).toEqual(["export/gguf-scheme"]);
    expect(codesOf({ scheme: "int", bits: 4, granularity: "group:32" })).toEqual(["export/gguf-scheme"]);
    expect(codesOf({ scheme: "int", bits: 4, symmetric: true, granularity: "group:64" })).toEqual([
      "export/gguf-scheme",
    ]);
    expect(codesOf({ ...RECIPES[0], restore: { largest: 5 } })).toEqual(["export/restore-largest"]);
    expect(
      codesOf({ ...RECIPES[0], overrides: [{ match: "*up*", scheme: "nf4", granularity: "group:32" }] }),
    ).toEqual(["export/gguf-scheme"]);
    for (const recipe of RECIPES) expect(codesOf(recipe)).toEqual([]);
  });

  it("is said of a model whose equations llama.cpp does not have", async () => {
    const source = await bench({ ...SHAPE, config: { hidden_act: "gelu" } });
    const check = await checkExport(modelOf(source.checkpoint), {
      ...{ recipe: parseRecipe(RECIPES[0]), format: "gguf", out: source.out, overwrite: false },
      ...{ maxShardBytes: null, kept: "unquantized" },
    });
    expect(check.problems.map(({ code }) => code)).toEqual(["export/gguf-model"]);
    const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 16 };
    for (const changes of [{ beta_fast: 4 }, { truncate: false }]) {
      const other = await bench({ ...SHAPE, config: { rope_scaling: { ...yarn, ...changes } } });
      const model = modelOf(other.checkpoint);
      expect(exporters.gguf.problems(parseRecipe(RECIPES[0]), { model, plans: new Map() })).toMatchObject([
        { code: "export/gguf-model", message: expect.stringContaining("YaRN") as string },
      ]);
    }
  });
});
