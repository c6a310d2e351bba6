import { describe, expect, it } from "vitest";
import { parseRecipe } from "./plan.ts";
import { recipeLabel } from "./recipeText.ts";

const BASE = { scheme: "int", bits: 4, granularity: "group:64" };
const labelOf = (more: object): string => recipeLabel(parseRecipe({ ...BASE, ...more }));
const PATTERNS = ["*.q_proj.weight", "*.k_proj.weight", "*.v_proj.weight"];

describe("a recipe's label", () => {
  it("says nothing of what is usual", () => {
    expect(labelOf({})).toBe("int4, group 64");
    expect(labelOf({ ignore: ["*lm_head*", "*embed_tokens*"] })).toBe("int4, group 64");
  });

  it("tells variants apart that differ only in overrides", () => {
    const down = "*.down_proj.weight";
    expect(labelOf({ overrides: [{ match: down, bits: 8 }] })).toBe(
      "int4, group 64, *.down_proj.weight 8 bits",
    );
    expect(labelOf({ overrides: [{ match: down, skip: true }] })).toBe(
      "int4, group 64, *.down_proj.weight unquantized",
    );
    expect(
      labelOf({ overrides: [{ match: down, range: null, symmetric: true, granularity: "channel" }] }),
    ).toBe("int4, group 64, *.down_proj.weight symmetric channel no clipping");
  });

  it("tells long lists of overrides apart by a sign of their content", () => {
    const many = (bits: number): string => labelOf({ overrides: PATTERNS.map((match) => ({ match, bits })) });
    expect(many(8)).toMatch(/^int4, group 64, 3 overrides \([0-9a-f]{4}\)$/);
    expect(many(8)).not.toBe(many(6));
    expect(many(8)).toBe(many(8));
  });

  it("tells apart what is kept", () => {
    expect(labelOf({ ignore: [] })).toBe("int4, group 64, ignores nothing");
    expect(labelOf({ ignore: ["*q_proj*"] })).toBe("int4, group 64, ignores *q_proj*");
    expect(labelOf({ ignore: PATTERNS })).toMatch(/ignores 3 patterns \([0-9a-f]{4}\)/);
  });
});
