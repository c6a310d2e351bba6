import { describe, expect, it } from "vitest";
import type { TensorInfo, TensorRole } from "#shared/model.ts";
import { textsOf } from "#shared/notes.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { RecipeInput } from "#shared/recipe.ts";
import { planTensors } from "./planTensors.ts";
import type { PlanContext } from "./planContext.ts";
import { recipeId } from "./recipeId.ts";

function tensor(name: string, shape: number[], role: TensorRole, layer: number | null): TensorInfo {
  const parameters = shape.reduce((product, n) => product * n, 1);
  const linear = layer !== null && shape.length === 2;
  return {
    name,
    shape,
    dtype: "F16",
    parameters,
    bytes: parameters * 2,
    file: "model.safetensors",
    begin: 0,
    end: parameters * 2,
    role,
    layer,
    linear,
  };
}

const MODEL = [
  tensor("model.embed_tokens.weight", [100, 64], "embedding", null),
  ...[0, 1].flatMap((layer) => [
    tensor(`model.layers.${layer}.self_attn.q_proj.weight`, [64, 64], "attention", layer),
    tensor(`model.layers.${layer}.mlp.down_proj.weight`, [64, 176], "mlp", layer),
    tensor(`model.layers.${layer}.input_layernorm.weight`, [64], "norm", layer),
  ]),
  tensor("lm_head.weight", [100, 64], "head", null),
];
const LINEARS = MODEL.filter((t) => t.linear).map((t) => t.name);
const HALF = { scheme: "f16", bits: 16 } as const;
const context: PlanContext = {
  superWeights: [[1, 3, 5]],
  decoder: () => {
    throw new Error("only mixes ask for the equations");
  },
  downProjection: (layer) => `model.layers.${layer}.mlp.down_proj.weight`,
};

const plan = (
  fields: Partial<RecipeInput>,
  tensors = MODEL,
  changes: Partial<PlanContext> = {},
): ReturnType<typeof planTensors> =>
  planTensors(parseRecipe({ scheme: "affine", bits: 4, granularity: "tensor", ...fields }), tensors, {
    ...context,
    ...changes,
  });

function refusal(
  fields: Partial<RecipeInput>,
  tensors = MODEL,
): {
  code: string;
  message: string;
  next: string;
  details: Record<string, unknown>;
} {
  try {
    plan(fields, tensors);
  } catch (error) {
    return error as ReturnType<typeof refusal>;
  }
  throw new Error("The recipe was accepted.");
}

describe("planTensors", () => {
  it("quantizes every linear of every decoder layer and nothing else by default", () => {
    const { tensors, notes } = plan({});
    expect([...tensors.keys()]).toEqual(LINEARS);
    expect(notes).toEqual([]);
  });

  it("quantizes the embedding and the head where keep is empty, never a vector", () => {
    expect([...plan({ ignore: [] }).tensors.keys()]).toEqual(
      MODEL.filter((t) => t.shape.length === 2).map((t) => t.name),
    );
  });

  it("notes that a tied embedding is the head too", () => {
    const tied = MODEL.filter((t) => t.role !== "head");
    expect(plan({ ignore: [] }, tied).notes).toEqual([
      { code: "embedding/tied", text: expect.stringContaining("also the output head (tied)") as string },
    ]);
    expect(plan({ ignore: [] }).notes).toEqual([]);
  });

  it("matches * across the dots of a name", () => {
    expect([...plan({ ignore: ["*lm_head*", "*embed*", "model.layers.0*"] }).tensors.keys()]).toEqual(
      LINEARS.slice(2),
    );
    expect([...plan({ ignore: ["*"] }).tensors.keys()]).toEqual([]);
  });

  it("lets the first matching override decide and inherits what it does not say", () => {
    const overrides = [
      { match: "*.layers.1.*down_proj*", skip: true },
      { match: "*down_proj*", bits: 8, range: null },
      { match: "*", scheme: "int" as const, symmetric: true, granularity: "group:32" },
    ];
    const { tensors } = plan({ range: { method: "mse" }, overrides });
    expect(tensors.has("model.layers.1.mlp.down_proj.weight")).toBe(false);
    expect(tensors.get("model.layers.0.mlp.down_proj.weight")).toMatchObject({
      scheme: "affine",
      bits: 8,
      range: null,
      granularity: { kind: "tensor" },
    });
    expect(tensors.get("model.layers.0.self_attn.q_proj.weight")).toMatchObject({
      scheme: "int",
      bits: 4,
      symmetric: true,
      range: { method: "mse" },
      granularity: { kind: "group", size: 32 },
    });
  });

  it("notes globs that match nothing and overrides that change nothing", () => {
    const { notes } = plan({
      ignore: ["*lm_head*", "*embed_tokens*", "*.c_proj.*"],
      overrides: [
        { match: "nope", bits: 3 },
        { match: "lm_head*", bits: 3 },
      ],
    });
    expect(notes.map(({ code }) => code)).toEqual([
      "ignore/no-match",
      "override/no-match",
      "override/no-effect",
    ]);
    expect(textsOf(notes)).toEqual([
      expect.stringContaining('"*.c_proj.*" matches no tensor'),
      expect.stringContaining('"nope" matches no tensor'),
      expect.stringContaining('"lm_head*" changes nothing'),
    ]);
  });

  it("refuses a group that does not divide, with tensor, columns, size and the nearest sizes that fit every tensor", () => {
    const error = refusal({ granularity: "group:64" });
    expect(error.code).toBe("recipe/block-does-not-divide");
    expect(error.message).toContain(
      '"model.layers.0.mlp.down_proj.weight" has 176 columns, which the block size 64',
    );
    expect(error.next).toContain("Use group:16,");
    expect(error.details).toEqual({
      tensor: "model.layers.0.mlp.down_proj.weight",
      columns: 176,
      size: 64,
      nearest: "16",
    });
    expect(refusal({ granularity: "group:12" }).next).toContain("Use group:8 or group:16,");
    expect(plan({ granularity: "group:16" }).tensors.size).toBe(4);
  });

  it.each(["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"] as const)(
    "offers no block to %s, which has group:32 alone, but overrides that make the recipe fit",
    (scheme) => {
      const bits = scheme === "q8_0" ? 8 : Number(scheme[1]);
      const recipe = { scheme, bits, granularity: "group:32" } as const;
      const error = refusal(recipe);
      expect(error.message).toContain("176 columns, which the block size 32");
      expect(error.details).toMatchObject({ nearest: "" });
      expect(error.next).not.toMatch(/group:16|flat:N/);
      expect(error.next).toContain(
        '{ "match": "model.layers.*.mlp.down_proj.weight", "scheme": "f16", "bits": 16 }',
      );
      const match = "model.layers.*.mlp.down_proj.weight";
      expect(plan({ ...recipe, overrides: [{ match, ...HALF }] }).tensors.size).toBe(4);
      expect(plan({ ...recipe, overrides: [{ match, skip: true }] }).tensors.size).toBe(2);
    },
  );

  it("names every kind of tensor that a scheme's only block does not fit", () => {
    const tensors = MODEL.map((info) => (info.linear ? { ...info, shape: [64, 176] } : info));
    const error = refusal({ scheme: "q4_0", bits: 4, granularity: "group:32" }, tensors);
    expect(error.next).toContain('"match": "model.layers.*.self_attn.q_proj.weight"');
    expect(error.next).toContain('(and one each for "model.layers.*.mlp.down_proj.weight")');
  });

  it("offers packed schemes groups and whole rows, which they have, and no flat blocks", () => {
    const error = refusal({ scheme: "gptq-int", bits: 4, granularity: "group:64" });
    expect(error.next).toContain('Use group:16, which divides every tensor with this block, "channel"');
    expect(error.next).not.toContain("flat");
    expect(plan({ scheme: "gptq-int", bits: 4, granularity: "channel" }).tensors.size).toBe(4);
  });

  it("refuses a tile that does not divide rows or columns", () => {
    expect(refusal({ granularity: "tile:48x16" })).toMatchObject({
      code: "recipe/block-does-not-divide",
      details: { rows: 64, size: 48, nearest: "32, 64" },
    });
    expect(refusal({ granularity: "tile:16x10" }).next).toContain("tile:16x8 or tile:16x16");
    expect(plan({ granularity: "tile:64x16" }).tensors.size).toBe(4);
  });

  it("accepts any flat size and says where the last block is shorter or the tensor smaller", () => {
    const { notes } = plan({ granularity: "flat:5000" });
    expect(notes.map(({ code }) => code)).toEqual(["granularity/larger", "granularity/remainder"]);
    expect(textsOf(notes)).toEqual([
      'flat:5000 is larger than 2 tensors (first "model.layers.0.self_attn.q_proj.weight"): one block for the whole tensor.',
      'flat:5000 does not divide 2 tensors (first "model.layers.0.mlp.down_proj.weight"): the last block has the remainder (1264 of 11264 weights in "model.layers.0.mlp.down_proj.weight").',
    ]);
    expect(plan({ granularity: "flat:1024" }).notes).toEqual([]);
  });

  it("resolves restored coordinates to [layer, row = output, column = input] of down_proj, ascending, once each", () => {
    const { tensors } = plan({
      restore: [
        [0, 2, 7],
        [0, 0, 9],
        [0, 2, 7],
      ],
    });
    expect(tensors.get("model.layers.0.mlp.down_proj.weight")?.restore).toEqual({
      indices: [9, 2 * 176 + 7],
    });
    expect(tensors.get("model.layers.1.mlp.down_proj.weight")?.restore).toEqual({ indices: [] });
  });

  it("takes the detected super weights where the recipe says so", () => {
    const { tensors } = plan({ restore: "super-weights", excludeFromRange: true });
    expect(tensors.get("model.layers.1.mlp.down_proj.weight")).toMatchObject({
      excludeFromRange: true,
      restore: { indices: [3 * 176 + 5] },
    });
    expect(plan({ restore: "super-weights" }, MODEL, { superWeights: [] }).notes).toEqual([
      { code: "restore/no-super-weight", text: expect.stringContaining("nothing is restored") as string },
    ]);
  });

  it("keeps `largest` per tensor, to be resolved when the weights are read", () => {
    for (const one of plan({ restore: { largest: 3 } }).tensors.values())
      expect(one.restore).toEqual({ largest: 3 });
  });

  it.each([
    [[0, 64, 0], "has 64 rows and 176 columns"],
    [[0, 0, 176], "has 64 rows and 176 columns"],
    [[2, 0, 0], "no 2-D tensor"],
  ] as const)("refuses the coordinate %j outside the model", (coordinate, why) => {
    const error = refusal({ restore: [[...coordinate]] });
    expect(error.code).toBe("recipe/no-such-weight");
    expect(error.message).toContain(why);
  });

  it("notes a restored weight of a tensor that is not quantized", () => {
    expect(
      plan({ restore: [[0, 1, 1]], ignore: ["*lm_head*", "*embed_tokens*", "*down_proj*"] }).notes,
    ).toEqual([
      {
        code: "restore/not-quantized",
        text: expect.stringContaining("Nothing to restore at [0, 1, 1]") as string,
      },
    ]);
  });

  it("rounds to each tensor's own storage type unless told otherwise, and refuses one it cannot compute with", () => {
    const mixed = MODEL.map((t) => (t.layer === 0 ? { ...t, dtype: "BF16" } : t));
    expect([...plan({}, mixed).tensors.values()].map((p) => p.storage)).toEqual([
      "BF16",
      "BF16",
      "F16",
      "F16",
    ]);
    expect([...plan({}, mixed, { storage: "F32" }).tensors.values()].map((p) => p.storage)).toEqual([
      "F32",
      "F32",
      "F32",
      "F32",
    ]);
    const odd = MODEL.map((t) => ({ ...t, dtype: "F8_E4M3" }));
    expect(() => plan({}, odd)).toThrow(expect.objectContaining({ code: "checkpoint/unreadable-dtype" }));
  });
});

describe("a scheme that rounds each weight by itself", () => {
  const range = { method: "zscore", threshold: 5 } as const;

  it("has neither block nor clip, whatever the rest of the recipe has", () => {
    const { tensors, notes } = plan({
      ...{ granularity: "group:16", range, ignore: ["*lm_head*"] },
      overrides: [{ match: "*embed_tokens*", ...HALF }],
    });
    expect(tensors.get("model.embed_tokens.weight")).toMatchObject({
      ...{ scheme: "f16", bits: 16, granularity: { kind: "tensor" }, range: null },
    });
    expect(tensors.get(LINEARS[0] ?? "")).toMatchObject({ scheme: "affine", range });
    expect(notes).toEqual([]);
  });

  it("passes over a symmetric recipe's symmetry, as every scheme does that has no such choice", () => {
    const { tensors } = plan({
      ...{ scheme: "int", symmetric: true, granularity: "group:16", ignore: ["*lm_head*"] },
      overrides: [
        { match: "*embed_tokens*", ...HALF },
        { match: "*q_proj*", scheme: "q4_0", granularity: "group:32" },
      ],
    });
    const symmetric = [...tensors.values()].map((one) => [one.scheme, one.symmetric]);
    expect(symmetric[0]).toEqual(["f16", false]);
    expect(symmetric[1]).toEqual(["q4_0", false]);
    expect(symmetric[2]).toEqual(["int", true]);
  });

  it("is refused with other bits than its own, and with a clip of its own", () => {
    expect(() => plan({ scheme: "f16" })).toThrow(/f16 stores 16 bits, but bits is 4/);
    expect(() => plan({ bits: 16 })).toThrow(/affine stores .* 8 bits, but bits is 16/);
    const message = /no range that a clip could cut/;
    expect(() => plan({ ...HALF, range })).toThrow(message);
    expect(() => plan({ overrides: [{ match: "*", ...HALF, range }] })).toThrow(message);
  });
});

describe("recipeId", () => {
  it("is the SHA-256 of the recipe's JSON, whatever the order of its keys and the defaults left out", () => {
    const id = recipeId(parseRecipe({ scheme: "affine", bits: 4, granularity: "group:64" }));
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(
      recipeId(parseRecipe({ granularity: "group:64", excludeFromRange: false, bits: 4, scheme: "affine" })),
    ).toBe(id);
    expect(recipeId(parseRecipe({ granularity: "group:64", bits: 3, scheme: "affine" }))).not.toBe(id);
  });
});
