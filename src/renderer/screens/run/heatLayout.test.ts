import { describe, expect, it } from "vitest";
import { parsePlan } from "#shared/plan.ts";
import type { Recipe } from "#shared/recipe.ts";
import { NOT_RESTORED } from "./dimensions.ts";
import { choiceOf, firstChoice, heatLayout, resultAt } from "./heatLayout.ts";

const of = (plan: unknown): { recipe: Recipe }[] => parsePlan(plan).recipes.map((recipe) => ({ recipe }));
const GRID = of({
  base: { scheme: "affine" },
  grid: {
    bits: [3, 4],
    granularity: ["tensor", "flat:16384", "group:64"],
    range: [{ method: "zscore", threshold: 5 }, null, { method: "zscore", threshold: 9 }],
    restore: ["none", "super-weights"],
  },
});

describe("the heatmaps' layout", () => {
  it("puts blocks across, clips down, bits into a choice and the arms side by side", () => {
    const layout = heatLayout(GRID);
    expect(layout.columns.values.map(({ label }) => label)).toEqual(["group 64", "flat 16,384", "tensor"]);
    expect(layout.rows.values.map(({ label }) => label)).toEqual(["no clipping", "z 9", "z 5"]);
    expect(layout.choices.map(({ id, values }) => [id, values.map(({ label }) => label)])).toEqual([
      ["format", ["affine4", "affine3"]],
    ]);
    expect(layout.hasNotRestored).toBe(true);
    expect(layout.restoredArms.values.map(({ label }) => label)).toEqual(["restored"]);
  });

  it("gives every variant exactly one place", () => {
    const layout = heatLayout(GRID);
    expect(layout.places.size).toBe(GRID.length);
    const found = layout.choices[0]?.values.flatMap(({ key }) =>
      [NOT_RESTORED, layout.restoredArms.values[0]?.key ?? ""].flatMap((arm) =>
        layout.rows.values.flatMap((row) =>
          layout.columns.values.map((column) => resultAt(layout, { format: key }, arm, row.key, column.key)),
        ),
      ),
    );
    expect(new Set(found).size).toBe(GRID.length);
    expect(found).not.toContain(undefined);
  });

  it("takes formats as rows where no clipping varies", () => {
    const layout = heatLayout(
      of({ base: { scheme: "affine" }, grid: { bits: [4, 3, 2], granularity: ["group:64", "tensor"] } }),
    );
    expect([layout.columns.id, layout.rows.id]).toEqual(["granularity", "format"]);
    expect(layout.choices).toEqual([]);
  });

  it("still has a row and a column for a single variant", () => {
    const layout = heatLayout(of({ recipes: [{ scheme: "nf4", bits: 4, granularity: "group:64" }] }));
    expect(layout.rows.values).toHaveLength(1);
    expect(layout.columns.values).toHaveLength(1);
    expect(layout.rows.id).not.toBe(layout.columns.id);
  });

  it("knows the choice under which a variant is on screen", () => {
    const layout = heatLayout(GRID);
    const three = GRID.find(({ recipe }) => recipe.bits === 3);
    expect(three && choiceOf(layout, three)).toEqual({ format: "affine3" });
    expect(firstChoice(layout)).toEqual({ format: "affine4" });
  });
});
