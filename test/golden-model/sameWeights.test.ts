import { afterAll, beforeAll, expect, it } from "vitest";
import { sameWeights, type MadeWeights } from "#engine/evaluate/stream/sameWeights.ts";
import { demoVariant, openDemo, type Demo } from "./demoModel.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

const z = (threshold: number): object => ({ method: "zscore", threshold });
/** Beyond every weight of the demo model in blocks of 4,096, though not beyond what such a block can hold. */
const UNREACHED = 60;
const RECIPES: Readonly<Record<string, object>> = {
  plain: { granularity: "group:64" },
  "z 9": { granularity: "group:64", clip: z(9) },
  "z 3": { granularity: "group:64", clip: z(3) },
  restored: { granularity: "group:64", restore: [[1, 137, 401]] },
  "restored, z 9": { granularity: "group:64", restore: [[1, 137, 401]], clip: z(9) },
  large: { granularity: "flat:4096" },
  "large, unreached": { granularity: "flat:4096", clip: z(UNREACHED) },
  "large, z 5": { granularity: "flat:4096", clip: z(5) },
  "3 bits": { granularity: "group:64", bits: 3 },
};

function madeOf(id: string, beside = ""): MadeWeights {
  const { plans } = demoVariant(demo, id, { scheme: "int", bits: 4, ...RECIPES[id] });
  return { id, plans, beside, smoothed: false };
}

it("groups what makes the same weights of the demo model, whether the blocks or only the weights decide it", async () => {
  const groups = await sameWeights(
    demo,
    Object.keys(RECIPES).map((id) => madeOf(id)),
  );
  expect(groups).toEqual([
    ["plain", "z 9"],
    ["restored", "restored, z 9"],
    ["large", "large, unreached"],
  ]);
});

it("keeps apart what depends on something beside the weights", async () => {
  expect(await sameWeights(demo, [madeOf("plain", "A8"), madeOf("z 9")])).toEqual([]);
});
