import { describe, expect, it } from "vitest";
import { CODECS, codecName } from "./codecs.ts";
import { parsePlan, parseRecipe } from "./plan.ts";

describe("a recipe", () => {
  it.each(["f16", "bf16"])("of %s needs neither bits nor a block: there is no choice of them", (codec) => {
    expect(parseRecipe({ codec })).toEqual(parseRecipe({ codec, bits: 16, block: "tensor" }));
  });

  it.each(["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"])(
    "of %s has the bits and the block of its format",
    (codec) => {
      expect(parseRecipe({ codec })).toMatchObject({ bits: Number(codec[1]), block: "group:32" });
    },
  );

  it("names what is missing where a codec has several of it", () => {
    expect(() => parseRecipe({ codec: "rtn", bits: 4 })).toThrow(/block: is missing/);
    expect(() => parseRecipe({ codec: "int", block: "tensor" })).toThrow(/bits: is missing/);
    for (const codec of codecName.options.filter((name) => CODECS[name].bits.length > 1))
      expect(() => parseRecipe({ codec, block: "group:32" })).toThrow(/bits: is missing/);
  });

  it("keeps what was written: another block of a half type, another of a format's is refused", () => {
    expect(parseRecipe({ codec: "f16", block: "channel" }).block).toBe("channel");
    expect(() => parseRecipe({ codec: "q4_0", block: "group:64" })).toThrow(/blocks of "group:32"/);
    expect(() => parseRecipe({ codec: "f16", bits: 8 })).toThrow(/f16 stores 16 bits/);
  });

  it("takes its only choices in a plan's grid too", () => {
    const { recipes } = parsePlan({ grid: { codec: ["f16", "q8_0"] } });
    expect(recipes.map(({ bits, block }) => [bits, block])).toEqual([
      [16, "tensor"],
      [8, "group:32"],
    ]);
  });

  it("gives an override of another codec no block that the recipe never named", () => {
    const override = { match: "*", codec: "int", bits: 4 };
    expect(() => parseRecipe({ codec: "f16", overrides: [override] })).toThrow(
      /overrides\.0\.block: is missing/,
    );
    const whole = { ...override, block: "group:64" };
    expect(parseRecipe({ codec: "f16", overrides: [whole] }).overrides).toEqual([whole]);
  });
});
