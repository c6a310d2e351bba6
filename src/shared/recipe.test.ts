import { describe, expect, it } from "vitest";
import { SCHEMES, schemeName } from "./schemes/index.ts";
import { parsePlan, parseRecipe } from "./plan.ts";

describe("a recipe", () => {
  it.each(["f16", "bf16"])("of %s needs neither bits nor a block: there is no choice of them", (scheme) => {
    expect(parseRecipe({ scheme })).toEqual(parseRecipe({ scheme, bits: 16, granularity: "tensor" }));
  });

  it.each(["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"])(
    "of %s has the bits and the block of its format",
    (scheme) => {
      expect(parseRecipe({ scheme })).toMatchObject({ bits: Number(scheme[1]), granularity: "group:32" });
    },
  );

  it("names what is missing where a scheme has several of it", () => {
    expect(() => parseRecipe({ scheme: "affine", bits: 4 })).toThrow(/granularity: is missing/);
    expect(() => parseRecipe({ scheme: "int", granularity: "tensor" })).toThrow(/bits: is missing/);
    for (const scheme of schemeName.options.filter((name) => SCHEMES[name].bits.length > 1))
      expect(() => parseRecipe({ scheme, granularity: "group:32" })).toThrow(/bits: is missing/);
  });

  it("keeps what was written: another block of a half type, another of a format's is refused", () => {
    expect(parseRecipe({ scheme: "f16", granularity: "channel" }).granularity).toBe("channel");
    expect(() => parseRecipe({ scheme: "q4_0", granularity: "group:64" })).toThrow(/blocks of "group:32"/);
    expect(() => parseRecipe({ scheme: "f16", bits: 8 })).toThrow(/f16 stores 16 bits/);
  });

  it("takes its only choices in a plan's grid too", () => {
    const { recipes } = parsePlan({ grid: { scheme: ["f16", "q8_0"] } });
    expect(recipes.map(({ bits, granularity }) => [bits, granularity])).toEqual([
      [16, "tensor"],
      [8, "group:32"],
    ]);
  });

  it("gives an override of another scheme no block that the recipe never named", () => {
    const override = { match: "*", scheme: "int", bits: 4 };
    expect(() => parseRecipe({ scheme: "f16", overrides: [override] })).toThrow(
      /overrides\.0\.granularity: is missing/,
    );
    const whole = { ...override, granularity: "group:64" };
    expect(parseRecipe({ scheme: "f16", overrides: [whole] }).overrides).toEqual([whole]);
  });
});
