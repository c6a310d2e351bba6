import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ScanReport } from "#shared/scan.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { scanWeights } from "#engine/superweight/evidence/scanWeights.ts";
import { writeSyntheticCheckpoint } from "../support/syntheticCheckpoint.ts";
import { neuron } from "./planted.ts";

const DEMO = join(import.meta.dirname, "../../resources/demo-model/model");

async function scan(folder: string): Promise<ScanReport> {
  const checkpoint = await openCheckpoint(folder);
  onTestFinished(() => checkpoint.close());
  return scanWeights(checkpoint);
}

// reference: the same sums in NumPy over the file's tensors
it("puts the demo model's super weight first, with NumPy's figures", async () => {
  const [first, second] = (await scan(DEMO)).layers;
  expect(first).toMatchObject({ layer: 1, row: 137, column: 401, published: null });
  expect(first.timesMedian.toFixed(1)).toBe("4.9");
  expect(first.share.toFixed(2)).toBe("0.94");
  expect(second).toMatchObject({ layer: 5, row: 100, column: 266 });
});

it("finds a planted weight in fused gate and up projections as in separate ones", async () => {
  const plant = neuron(1, 7, 3, [[9, 5]]);
  const separate = await scan(await writeSyntheticCheckpoint({ plant, deviation: 0.05 }));
  expect(separate.layers[0]).toMatchObject({ layer: 1, row: 9, column: 7, value: 5 });
  const fused = plant.flatMap((weight) => {
    if (weight.tensor.includes("down_proj")) return [weight];
    const tensor = weight.tensor.replace(/(gate|up)_proj/, "gate_up_proj");
    return [{ ...weight, tensor, row: weight.tensor.includes("up_proj") ? 24 + weight.row : weight.row }];
  });
  const together = await scan(
    await writeSyntheticCheckpoint({ plant: fused, deviation: 0.05, family: "phi3" }),
  );
  expect(together.layers[0]).toMatchObject({ layer: 1, row: 9, column: 7, value: 5 });
});

it("scans a model that Keystone cannot run, and says that it is a preview", async () => {
  const folder = await writeSyntheticCheckpoint({ config: { model_type: "unheard-of" } });
  const report = await scan(folder);
  expect(report.layers).toHaveLength(2);
  expect(report.notes[0]?.text).toContain("a preview from the weights alone");
});
