import { describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import { MAX_RESTORED, onnxProblems } from "./onnxProblems.ts";

const codes = (recipe: object): string[] =>
  onnxProblems(parseRecipe({ scheme: "matmulnbits", bits: 4, granularity: "group:32", ...recipe })).map(
    ({ code }) => code,
  );

describe("a recipe for an ONNX decoder", () => {
  it("holds with the format's scheme and every other of integer codes, at 4 and 8 bits, in groups of 16 to 256", () => {
    for (const scheme of ["matmulnbits", "int", "compressed-tensors"])
      for (const bits of [4, 8])
        for (const size of [16, 32, 64, 128, 256])
          expect(codes({ scheme, bits, granularity: `group:${size}` })).toEqual([]);
  });

  it("is told what the format cannot store, before a model is open", () => {
    expect(codes({ scheme: "affine" })).toEqual(["export/scheme"]);
    expect(codes({ scheme: "nf4" })).toEqual(["export/scheme"]);
    expect(codes({ scheme: "int", bits: 3 })).toEqual(["export/bits"]);
    for (const granularity of ["group:8", "group:48", "group:512", "channel", "flat:64", "tile:4x4"])
      expect(codes({ scheme: "int", granularity })).toEqual(["export/block"]);
    expect(codes({ restore: { largest: MAX_RESTORED + 1 } })).toEqual(["export/restore-count"]);
    expect(codes({ restore: { largest: MAX_RESTORED } })).toEqual([]);
    expect(codes({ activations: { per: "token", method: "naive" } })).toEqual(["export/activations"]);
  });

  it("is told of an override that does not fit, once, and not of one that skips", () => {
    const overrides = [
      { match: "*.q_proj.*", scheme: "int", bits: 5 },
      { match: "*.k_proj.*", scheme: "int", bits: 6 },
    ];
    expect(codes({ overrides })).toEqual(["export/bits"]);
    expect(codes({ overrides: [{ match: "*.q_proj.*", skip: true }] })).toEqual([]);
  });
});
