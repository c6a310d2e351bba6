import { describe, expect, it } from "vitest";
import { parseRecipe } from "#shared/plan.ts";
import type { TensorInfo } from "#shared/model.ts";
import { planTensors } from "./planTensors.ts";
import { plansKey } from "./planKey.ts";

const TENSOR = {
  name: "model.layers.0.mlp.down_proj.weight",
  shape: [64, 128],
  dtype: "F32",
  layer: 0,
  linear: true,
  parameters: 64 * 128,
} as unknown as TensorInfo;

/** Only mixes ask for it. */
function noDecoder(): never {
  throw new Error("asked for the equations");
}

function keyOf(recipe: object): string {
  const context = { superWeights: [], decoder: noDecoder, downProjection: () => TENSOR.name };
  return plansKey(
    planTensors(parseRecipe({ scheme: "affine", bits: 4, ...recipe }), [TENSOR], context).tensors,
  );
}
const z = (threshold: number): object => ({ method: "zscore", threshold });

describe("the key of a recipe's plans", () => {
  it("is that of no clipping where no weight of a block can lie beyond the threshold", () => {
    for (const granularity of ["group:32", "group:64"])
      expect(keyOf({ granularity, clip: z(9) })).toBe(keyOf({ granularity }));
    expect(keyOf({ granularity: "group:32", clip: z(5.5) })).toBe(keyOf({ granularity: "group:32" }));
    expect(keyOf({ granularity: "group:32", clip: z(5.47) })).not.toBe(keyOf({ granularity: "group:32" }));
    expect(keyOf({ granularity: "group:128", clip: z(9) })).not.toBe(keyOf({ granularity: "group:128" }));
  });

  it("is one for blocks that cut a tensor alike", () => {
    expect(keyOf({ granularity: "flat:1048576" })).toBe(keyOf({ granularity: "tensor" }));
    expect(keyOf({ granularity: "group:128" })).toBe(keyOf({ granularity: "channel" }));
    expect(keyOf({ granularity: "flat:64" })).toBe(keyOf({ granularity: "group:64" }));
    expect(keyOf({ granularity: "tile:8x8" })).not.toBe(keyOf({ granularity: "flat:64" }));
  });

  it("differs where weights are restored, held out, or stored with other bits", () => {
    const restore = [[0, 1, 2]];
    expect(keyOf({ granularity: "channel", restore })).not.toBe(keyOf({ granularity: "channel" }));
    expect(keyOf({ granularity: "channel", restore, excludeFromRange: true })).not.toBe(
      keyOf({ granularity: "channel", restore }),
    );
    expect(keyOf({ granularity: "channel", bits: 3 })).not.toBe(keyOf({ granularity: "channel" }));
  });
});
