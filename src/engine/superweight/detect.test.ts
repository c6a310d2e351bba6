import { describe, expect, it } from "vitest";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { detect } from "./detect.ts";
import { plantedModel, type Planted, type PlantedLayer } from "./plantedModel.ts";

/** An ordinary layer: both taps are 1, on token 0. */
const quiet: PlantedLayer = {
  input: [
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ],
  weights: [[0, 0, 1]],
};
/** |X| = 10 in column 2 of token 0, and a weight that makes 50 of it in row 1. */
const spike: PlantedLayer = {
  input: [
    [0, 0, 10, 0],
    [0, 0, 0, 0],
  ],
  weights: [
    [1, 2, 5],
    [0, 0, 1],
  ],
};

const found = (report: DetectReport) =>
  report.superWeights.map(({ layer, row, column, pass }) => [layer, row, column, pass]);
const verdictOf = (report: DetectReport, layer: number) => report.candidates.find((it) => it.layer === layer);
const run = (model: Planted, options: object = {}) =>
  detect({ ...model, options: detectOptions.parse(options) });

describe("detect", () => {
  it("finds a planted weight, with its evidence", async () => {
    const report = await run(plantedModel([quiet, spike, quiet]));
    expect(report.superWeights).toHaveLength(1);
    expect(report.superWeights[0]).toMatchObject({
      layer: 1,
      row: 1,
      column: 2,
      tensor: "down 1",
      value: 5,
      inputActivation: 10,
      outputActivation: 50,
      contribution: 50,
      share: 1,
      token: 0,
      pass: 1,
      rank: 1,
      timesMedian: 50,
      published: null,
      verdict: "super-weight",
    });
    expect(report).toMatchObject({
      model: "planted",
      medianOutput: 1,
      thresholdOutput: 8,
      device: "cpu",
      tokens: [
        { id: 1, text: "<1>" },
        { id: 7, text: "<7>" },
      ],
    });
    expect(report.layers[1]).toEqual({
      layer: 1,
      input: { value: 10, token: 0, channel: 2 },
      output: { value: 50, token: 0, channel: 1 },
      residual: { value: 50, token: 0, channel: 1 },
    });
  });

  it("runs only the layers from the zeroed weight on again", async () => {
    const model = plantedModel([quiet, spike, quiet]);
    const report = await run(model);
    expect(model.ran).toEqual([0, 1, 2, 1, 2]);
    expect(report.passes.map(({ pass, fromLayer, zeroed }) => [pass, fromLayer, zeroed])).toEqual([
      [1, 0, [1, 1, 2]],
      [2, 1, null],
    ]);
  });

  it("finds one column that feeds several rows, the strongest first, one a pass", async () => {
    const several: PlantedLayer = {
      ...spike,
      weights: [
        [1, 2, 5],
        [0, 2, -4],
        [2, 2, 3],
      ],
    };
    expect(found(await run(plantedModel([quiet, several, quiet])))).toEqual([
      [1, 1, 2, 1],
      [1, 0, 2, 2],
      [1, 2, 2, 3],
    ]);
  });

  it("finds weights in several layers, also in one before the layer zeroed last", async () => {
    const weaker: PlantedLayer = { ...spike, weights: [[0, 2, 2]] };
    const report = await run(plantedModel([quiet, weaker, quiet, spike, quiet]));
    expect(found(report)).toEqual([
      [3, 1, 2, 1],
      [1, 0, 2, 2],
    ]);
    expect(report.passes.map(({ fromLayer }) => fromLayer)).toEqual([0, 3, 1]);
  });

  it("finds none in a model without a spike, and gives every layer's reason", async () => {
    const report = await run(plantedModel([quiet, quiet, quiet]));
    expect(report.superWeights).toEqual([]);
    expect(report.passes).toHaveLength(1);
    expect(report.candidates.map(({ layer, verdict }) => [layer, verdict])).toEqual([
      [0, "below-threshold"],
      [1, "below-threshold"],
      [2, "below-threshold"],
    ]);
    expect(report.candidates[0].reason).toBe(
      "The output 1 is 1 × the median layer maximum; a spike needs 8 × (8).",
    );
  });

  it("refuses a spike whose largest input is on another token", async () => {
    const apart: PlantedLayer = {
      input: [
        [0, 0, 10, 0],
        [0, 0, 0, 11],
      ],
      weights: [[1, 2, 5]],
    };
    const report = await run(plantedModel([quiet, apart, quiet]));
    expect(report.superWeights).toEqual([]);
    expect(verdictOf(report, 1)).toMatchObject({
      verdict: "different-token",
      reason: expect.stringContaining("at token 0, the largest input at token 1") as unknown,
    });
  });

  it("refuses a spike that many weights make together, and shows the other products", async () => {
    const shared: PlantedLayer = {
      input: [
        [9, 9, 10, 9],
        [0, 0, 0, 0],
      ],
      weights: [
        [1, 0, 2],
        [1, 1, 2],
        [1, 2, 2],
        [1, 3, 2],
      ],
    };
    const report = await run(plantedModel([quiet, shared, quiet]));
    expect(report.superWeights).toEqual([]);
    expect(verdictOf(report, 1)).toMatchObject({
      verdict: "small-share",
      share: expect.closeTo(20 / 74, 6) as unknown,
      nextLargest: [{ contribution: 18 }, { contribution: 18 }, { contribution: 18 }],
    });
  });

  it("names a late layer that cancels the super activation as such", async () => {
    const cancels: PlantedLayer = {
      input: [
        [9, 9, 10, 9],
        [0, 0, 0, 0],
      ],
      weights: [
        [1, 0, -2],
        [1, 1, -2],
        [1, 2, -2],
        [1, 3, -2],
      ],
    };
    const report = await run(plantedModel([quiet, spike, quiet, cancels, quiet]));
    expect(found(report)).toEqual([[1, 1, 2, 1]]);
    expect(report.candidates.find(({ layer, pass }) => layer === 3 && pass === 1)?.verdict).toBe(
      "cancelling",
    );
  });

  it("does not call a weight super whose zeroing leaves as large an output of the other sign", async () => {
    const overshoots: PlantedLayer = {
      input: [
        [0, 0, 10, 9],
        [0, 0, 0, 0],
      ],
      weights: [
        [1, 2, 10],
        [1, 3, -70 / 9],
      ],
    };
    const report = await run(plantedModel([quiet, overshoots, quiet]));
    expect(report.superWeights).toEqual([]);
    expect(verdictOf(report, 1)).toMatchObject({
      verdict: "no-suppression",
      reason: expect.stringContaining("does not suppress") as unknown,
    });
  });

  it("stops at the pass limit and lists what is left", async () => {
    const several: PlantedLayer = {
      ...spike,
      weights: [
        [1, 2, 5],
        [0, 2, -4],
      ],
    };
    const model = plantedModel([quiet, spike, several, quiet, quiet]);
    const report = await run(model, { maxPasses: 1 });
    expect(found(report)).toHaveLength(1);
    expect(report.candidates.find(({ verdict }) => verdict === "pass-limit")).toMatchObject({ layer: 2 });
    expect(model.ran).toEqual([0, 1, 2, 3, 4]);
  });

  it("takes the paper's absolute threshold on input and output when asked", async () => {
    const options = { threshold: { kind: "absolute", value: 20 } };
    expect(found(await run(plantedModel([quiet, spike, quiet]), options))).toEqual([]);
    const report = await run(plantedModel([quiet, spike, quiet]), {
      threshold: { kind: "absolute", value: 9 },
    });
    expect(found(report)).toEqual([[1, 1, 2, 1]]);
  });

  it("reports its progress over all passes", async () => {
    const seen: string[] = [];
    await detect({
      ...plantedModel([quiet, spike]),
      options: detectOptions.parse({ threshold: { kind: "absolute", value: 9 } }),
      onProgress: ({ done, total, phase }) => seen.push(`${done}/${total} ${phase}`),
    });
    expect(seen).toEqual([
      "1/2 pass 1, layer 1 of 2",
      "2/2 pass 1, layer 2 of 2",
      "3/3 pass 2, layer 2 of 2",
    ]);
  });

  it("refuses a prompt longer than the model's positions", async () => {
    const model = plantedModel([quiet]);
    const long = { ...model.tokenizer, encode: () => Array.from({ length: 16 }, () => 7) };
    await expect(run({ ...model, tokenizer: long })).rejects.toThrow(
      "The prompt has 17 tokens, but the model has 16 positions.",
    );
  });

  it("refuses a model whose forward pass is not finite", async () => {
    const broken: PlantedLayer = {
      input: [
        [Infinity, 0, 0, 0],
        [0, 0, 0, 0],
      ],
      weights: [[0, 0, 1]],
    };
    await expect(run(plantedModel([quiet, broken]))).rejects.toThrow(/not finite in layer 1/);
  });
});
