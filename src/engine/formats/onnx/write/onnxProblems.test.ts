import { describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import { MAX_RESTORED, onnxProblems } from "./onnxProblems.ts";

const codes = (recipe: object): string[] =>
  onnxProblems(parseRecipe({ codec: "matmulnbits", bits: 4, block: "group:32", ...recipe })).map(
    ({ code }) => code,
  );

describe("a recipe for an ONNX decoder", () => {
  it("holds with the format's codec and every other of integer codes, at 4 and 8 bits, in groups of 16 to 256", () => {
    for (const codec of ["matmulnbits", "int", "compressed-tensors"])
      for (const bits of [4, 8])
        for (const size of [16, 32, 64, 128, 256])
          expect(codes({ codec, bits, block: `group:${size}` })).toEqual([]);
  });

  it("is told what the format cannot store, before a model is open", () => {
    expect(codes({ codec: "rtn" })).toEqual(["export/codec"]);
    expect(codes({ codec: "nf4" })).toEqual(["export/codec"]);
    expect(codes({ codec: "int", bits: 3 })).toEqual(["export/bits"]);
    for (const block of ["group:8", "group:48", "group:512", "channel", "flat:64", "tile:4x4"])
      expect(codes({ codec: "int", block })).toEqual(["export/block"]);
    expect(codes({ restore: { largest: MAX_RESTORED + 1 } })).toEqual(["export/restore-count"]);
    expect(codes({ restore: { largest: MAX_RESTORED } })).toEqual([]);
    expect(codes({ activations: { per: "token", method: "naive" } })).toEqual(["export/activations"]);
  });

  it("is told of an override that does not fit, once, and not of one that skips", () => {
    const overrides = [
      { match: "*.q_proj.*", codec: "int", bits: 5 },
      { match: "*.k_proj.*", codec: "int", bits: 6 },
    ];
    expect(codes({ overrides })).toEqual(["export/bits"]);
    expect(codes({ overrides: [{ match: "*.q_proj.*", skip: true }] })).toEqual([]);
  });
});
