import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labRequest } from "./lab/index.ts";
import { recipeInOldWords, withOldWords } from "./oldWords.ts";
import { parsePlan, parseRecipe } from "./plan.ts";
import { schemeName, SCHEMES } from "./schemes/index.ts";

const OLD = {
  codec: "gptq",
  bits: 4,
  symmetric: true,
  block: "group:64",
  clip: { method: "zscore", threshold: 9 },
  restore: "super-weights",
  holdOut: true,
  keep: ["*lm_head*"],
  overrides: [
    { match: "*down_proj*", codec: "rtn", symmetric: false, block: "channel", clip: null },
    { match: "*", skip: true },
  ],
  activations: null,
};
const NEW = {
  scheme: "gptq-int",
  bits: 4,
  symmetric: true,
  granularity: "group:64",
  range: { method: "zscore", threshold: 9 },
  method: "rtn",
  restore: "super-weights",
  excludeFromRange: true,
  ignore: ["*lm_head*"],
  overrides: [
    { match: "*down_proj*", scheme: "affine", symmetric: false, granularity: "channel", range: null },
    { match: "*", skip: true },
  ],
  activations: null,
};

/** A recipe in today's words with its defaults filled. */
const anyRecipe = fc
  .record({
    scheme: fc.constantFrom(...schemeName.options.filter((name) => SCHEMES[name].granularities === "any")),
    granularity: fc.constantFrom("group:32", "channel", "tensor", "flat:4096", "tile:8x8"),
    range: fc.constantFrom(null, { method: "mse" }, { method: "iqr", threshold: 3 }),
    restore: fc.constantFrom("none", "super-weights", { largest: 3 }, [[1, 2, 3]]),
    ignore: fc.array(fc.constantFrom("*lm_head*", "*q_proj*")),
    skips: fc.boolean(),
  })
  .map(({ skips, ...fields }) =>
    parseRecipe({
      ...fields,
      bits: SCHEMES[fields.scheme].bits[0],
      range: SCHEMES[fields.scheme].rounds ? null : fields.range,
      overrides: skips
        ? [{ match: "*a*", skip: true }]
        : [{ match: "*b*", scheme: "affine", bits: 3, granularity: "channel" }],
    }),
  );

describe("recipes in the words of old", () => {
  it("are read as today's", () => {
    expect(parseRecipe(OLD)).toEqual(NEW);
    expect(parseRecipe(NEW)).toEqual(NEW);
  });

  it("are what ids are made of, to the letter", () => {
    expect(recipeInOldWords(parseRecipe(NEW))).toEqual(OLD);
  });

  it("come back from there and back, whatever the recipe", () => {
    fc.assert(
      fc.property(anyRecipe, (recipe) => {
        const old = recipeInOldWords(recipe);
        expect(Object.keys(old)).not.toContain("scheme");
        expect(parseRecipe(old)).toEqual(recipe);
        expect(parseRecipe(withOldWords(recipe))).toEqual(recipe);
      }),
    );
  });

  it("may mix with today's, unless they say two things", () => {
    expect(parseRecipe({ codec: "rtn", scheme: "affine", bits: 4, granularity: "tensor" }).scheme).toBe(
      "affine",
    );
    expect(() => parseRecipe({ scheme: "int", bits: 4, block: "tensor", granularity: "channel" })).toThrow(
      /granularity: is given twice, as "block" \(its earlier name\) too/,
    );
  });

  it("do not make a scheme of a method under today's name", () => {
    expect(() => parseRecipe({ scheme: "gptq", bits: 4, granularity: "group:64" })).toThrow(/scheme:/);
  });
});

describe("plans in the words of old", () => {
  it("cross the same recipes in the same order", () => {
    const old = parsePlan({
      base: { block: "tensor", keep: [] },
      grid: {
        codec: ["rtn", "int"],
        clip: [null, { method: "mse" }],
        bits: [3, 4],
        overrides: [[{ match: "*", block: "channel" }]],
      },
    });
    const now = parsePlan({
      base: { granularity: "tensor", ignore: [] },
      grid: {
        scheme: ["affine", "int"],
        range: [null, { method: "mse" }],
        bits: [3, 4],
        overrides: [[{ match: "*", granularity: "channel" }]],
      },
    });
    expect(old).toEqual(now);
    expect(old.recipes).toHaveLength(8);
  });

  it("are refused where an axis is there under both names", () => {
    const grid = { block: ["tensor"], granularity: ["channel"] };
    expect(() => parsePlan({ base: { scheme: "int", bits: 4 }, grid })).toThrow(
      /granularity: is given twice/,
    );
  });
});

it("an experiment asked for in the words of old is the same", () => {
  const asked = { experiment: "threshold-search", text: "/t.txt" };
  expect(labRequest.parse({ ...asked, block: "channel" })).toEqual(
    labRequest.parse({ ...asked, granularity: "channel" }),
  );
  const scaling = labRequest.parse({ experiment: "block-scaling", text: "/t.txt", blocks: ["tensor"] });
  expect(scaling).toMatchObject({ granularities: ["tensor"] });
});

it("a document for programs says everything in both", () => {
  const document = {
    results: [{ recipe: parseRecipe(NEW), label: "x" }],
    cells: [{ granularity: "tensor", range: null, kl: 1 }],
    axis: { range: [0, 1] },
    tensors: [{ packed: { scheme: "Q4_0" } }],
  };
  expect(withOldWords(document)).toEqual({
    results: [
      {
        recipe: {
          ...NEW,
          ...OLD,
          overrides: NEW.overrides.map((one, i) => ({ ...one, ...OLD.overrides[i] })),
        },
        label: "x",
      },
    ],
    cells: [{ granularity: "tensor", block: "tensor", range: null, clip: null, kl: 1 }],
    axis: { range: [0, 1] },
    tensors: [{ packed: { scheme: "Q4_0", codec: "Q4_0" } }],
  });
});
