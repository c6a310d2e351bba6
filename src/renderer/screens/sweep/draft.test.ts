import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { parsePlan } from "#shared/plan.ts";
import {
  commonOf,
  countLeftOut,
  countVariants,
  fromPlan,
  newDraft,
  toggled,
  toPlan,
  withCommon,
  withoutGranularity,
  type Draft,
} from "./draft.ts";

const recipesOf = (plan: unknown): string[] =>
  parsePlan(plan)
    .recipes.map((recipe) => canonicalJson(recipe))
    .sort();

describe("a sweep's draft", () => {
  it("starts as a plan that can be started", () => {
    const plan = parsePlan(toPlan(newDraft()));
    expect(plan.recipes).toHaveLength(countVariants(newDraft()));
  });

  it("writes a grid where the sets cross freely", () => {
    expect(toPlan(newDraft())).toMatchObject({
      base: { scheme: "affine" },
      grid: { bits: [4, 3], restore: ["super-weights", "none"] },
    });
  });

  it("writes a list where they do not", () => {
    const mixed = toPlan({
      ...newDraft(),
      formats: [
        { scheme: "nf4", bits: 4, symmetric: false },
        { scheme: "affine", bits: 3, symmetric: false },
      ],
    });
    expect(mixed).toHaveProperty("recipes");
    const heldOut = toPlan({
      ...newDraft(),
      arms: [
        { restore: "none", excludeFromRange: false },
        { restore: "super-weights", excludeFromRange: true },
      ],
    });
    expect(heldOut).toHaveProperty("recipes");
    expect(recipesOf(heldOut)).toHaveLength(48);
  });

  it("crosses a format only with blocks and clips that it has", () => {
    const draft: Draft = {
      ...newDraft(),
      formats: [
        { scheme: "q4_0", bits: 4, symmetric: false },
        { scheme: "affine", bits: 4, symmetric: false },
      ],
      granularities: ["group:32", "group:64", "flat:4096"],
      ranges: [null],
      arms: [{ restore: "none", excludeFromRange: false }],
    };
    expect(countVariants(draft)).toBe(4);
    expect(countLeftOut(draft)).toBe(2);
    expect(
      parsePlan(toPlan(draft)).recipes.map(({ scheme, granularity }) => `${scheme} ${granularity}`),
    ).toEqual(["q4_0 group:32", "affine group:32", "affine group:64", "affine flat:4096"]);
    expect(fromPlan(toPlan(draft))).toEqual(draft);
    expect(withoutGranularity(draft)).toEqual([]);
    const without = { ...draft, granularities: ["group:64"] };
    expect(withoutGranularity(without)).toEqual([{ format: draft.formats[0], granularity: "group:32" }]);
    expect(countVariants({ ...without, formats: draft.formats.slice(0, 1) })).toBe(0);
  });

  it("carries the format that the winner shall leave as, and none where nobody chose one", () => {
    const aimed = toPlan({ ...newDraft(), target: "gguf" });
    expect(aimed).toHaveProperty("target", "gguf");
    expect(fromPlan(aimed)?.target).toBe("gguf");
    expect(toPlan(newDraft())).not.toHaveProperty("target");
  });

  it("comes back from its own plan with the same variants, whatever was chosen", () => {
    const format = fc.constantFrom<Draft["formats"][number]>(
      { scheme: "affine", bits: 4, symmetric: false },
      { scheme: "affine", bits: 3, symmetric: false },
      { scheme: "int", bits: 4, symmetric: true },
      { scheme: "int", bits: 4, symmetric: false },
      { scheme: "nf4", bits: 4, symmetric: false },
    );
    const clip = fc.constantFrom<Draft["ranges"][number]>(
      null,
      { method: "mse" },
      { method: "zscore", threshold: 9 },
      { method: "iqr", threshold: 1.5 },
    );
    const arm = fc.constantFrom<Draft["arms"][number]>(
      { restore: "none", excludeFromRange: false },
      { restore: "super-weights", excludeFromRange: false },
      { restore: "super-weights", excludeFromRange: true },
      { restore: [[1, 2, 3]], excludeFromRange: false },
      { restore: { largest: 4 }, excludeFromRange: false },
    );
    const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
      fc.uniqueArray(one, { minLength: 1, selector: (value) => canonicalJson(value) });
    fc.assert(
      fc.property(
        some(format),
        some(fc.constantFrom("group:64", "tensor", "channel", "tile:8x8")),
        some(clip),
        some(arm),
        fc.string({ maxLength: 20 }),
        (formats, granularities, ranges, arms, name) => {
          const draft: Draft = { ...newDraft(), formats, granularities, ranges, arms, name };
          const plan = toPlan(draft);
          expect(recipesOf(plan)).toHaveLength(countVariants(draft));
          const back = fromPlan(plan);
          expect(back && recipesOf(toPlan(back))).toEqual(recipesOf(plan));
          expect(back?.judge).toEqual(draft.judge);
          expect(back?.name).toBe(name.trim());
        },
      ),
    );
  });

  it("carries along what the form does not show", () => {
    const plan = {
      base: {
        scheme: "int",
        bits: 4,
        overrides: [{ match: "*.down_proj.weight", bits: 8 }],
        ignore: ["*lm_head*"],
        activations: { per: "token", method: "naive" },
      },
      grid: { granularity: ["group:64", "group:32"] },
      judge: { context: 128, windows: "gptq" },
    };
    const draft = fromPlan(plan);
    expect(draft && recipesOf(toPlan(draft))).toEqual(recipesOf(plan));
    expect(draft && toPlan(draft)).toHaveProperty("judge", { context: 128, windows: "gptq" });
  });

  it("does not take a plan that it cannot say", () => {
    expect(
      fromPlan({
        recipes: [
          { scheme: "affine", bits: 4, granularity: "group:64" },
          { scheme: "affine", bits: 3, granularity: "tensor" },
        ],
      }),
    ).toBeNull();
  });

  it("refuses what is no plan", () => expect(() => fromPlan({ grid: {} })).toThrow());
});

it("changes name and judge of a plan as it was written, and nothing else", () => {
  const plan = {
    name: "Mine",
    recipes: [{ scheme: "affine", bits: 4, granularity: "group:64" }],
    judge: { tokens: 768 },
    target: "gguf",
  };
  const common = commonOf(plan);
  expect(common).toEqual({ name: "Mine", judge: { tokens: 768, windows: "bos" } });
  expect(withCommon(plan, common)).toEqual(plan);
  expect(withCommon(plan, { ...common, judge: { tokens: 9, windows: "gptq" } })).toEqual({
    ...plan,
    judge: { tokens: 9, windows: "gptq" },
  });
  expect(withCommon(plan, { ...common, name: " " })).not.toHaveProperty("name");
});

it("toggles members of a set by their value", () => {
  expect(toggled([{ a: 1 }], { a: 1 })).toEqual([]);
  expect(toggled<{ a: number } | null>([null], { a: 1 })).toEqual([null, { a: 1 }]);
});
