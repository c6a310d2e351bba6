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

function keyOf(recipe: object): string {
  const context = { superWeights: [], downProjection: () => TENSOR.name };
  return plansKey(planTensors(parseRecipe({ codec: "rtn", bits: 4, ...recipe }), [TENSOR], context).tensors);
}
const z = (threshold: number): object => ({ method: "zscore", threshold });

describe("the key of a recipe's plans", () => {
  it("is that of no clip where no weight of a block can lie beyond the threshold", () => {
    for (const block of ["group:32", "group:64"]) expect(keyOf({ block, clip: z(9) })).toBe(keyOf({ block }));
    expect(keyOf({ block: "group:32", clip: z(5.5) })).toBe(keyOf({ block: "group:32" }));
    expect(keyOf({ block: "group:32", clip: z(5.47) })).not.toBe(keyOf({ block: "group:32" }));
    expect(keyOf({ block: "group:128", clip: z(9) })).not.toBe(keyOf({ block: "group:128" }));
  });

  it("is one for blocks that cut a tensor alike", () => {
    expect(keyOf({ block: "flat:1048576" })).toBe(keyOf({ block: "tensor" }));
    expect(keyOf({ block: "group:128" })).toBe(keyOf({ block: "channel" }));
    expect(keyOf({ block: "flat:64" })).toBe(keyOf({ block: "group:64" }));
    expect(keyOf({ block: "tile:8x8" })).not.toBe(keyOf({ block: "flat:64" }));
  });

  it("differs where weights are restored, held out, or stored with other bits", () => {
    const restore = [[0, 1, 2]];
    expect(keyOf({ block: "channel", restore })).not.toBe(keyOf({ block: "channel" }));
    expect(keyOf({ block: "channel", restore, holdOut: true })).not.toBe(
      keyOf({ block: "channel", restore }),
    );
    expect(keyOf({ block: "channel", bits: 3 })).not.toBe(keyOf({ block: "channel" }));
  });
});
