import { describe, expect, it } from "vitest";
import { granularityMisfit } from "./fit.ts";

const tensor = (shape: number[], linear = true) => ({
  name: "w",
  shape,
  dtype: "F16",
  parameters: 1,
  bytes: 2,
  file: "f",
  begin: 0,
  end: 2,
  role: "mlp" as const,
  layer: 0,
  linear,
});
const model = { tensors: [tensor([704, 256]), tensor([256, 704]), tensor([1000, 77], false)] };

describe("a block and a model's rows", () => {
  it("fit where it divides every row that is quantized", () => {
    for (const granularity of ["group:64", "group:32", "channel", "tensor", "flat:4096", "tile:32x64"])
      expect(granularityMisfit(granularity, model)).toBeNull();
  });
  it("do not fit otherwise, and the nearest sizes that do are named", () => {
    expect(granularityMisfit("group:48", model)).toMatchObject({ nearest: ["group:32", "group:64"] });
    expect(granularityMisfit("group:96", model)).toMatchObject({ nearest: ["group:64"] });
    expect(granularityMisfit("tile:48x64", model)).toMatchObject({ nearest: ["tile:32x64"] });
  });
});
