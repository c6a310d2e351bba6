import { describe, expect, it } from "vitest";
import { detectOptions, type DetectReport } from "#shared/detection.ts";
import { detect } from "./detect.ts";
import { plantedModel, type Planted, type PlantedLayer } from "../../../test/support/plantedModel.ts";

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
  report.superWeights.map(({ layer, row, column }) => [layer, row, column]);
const verdictOf = (report: DetectReport, layer: number) => report.candidates.find((it) => it.layer === layer);
const run = (model: Planted, options: object = {}) =>
  detect({ ...model, options: detectOptions.parse({ effect: false, ...options }) });

describe("detection by evidence alone", () => {
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
      after: [],
      published: null,
      verdict: "unmeasured",
    });
    expect(report).toMatchObject({
      model: "planted",
      medianOutput: 1,
      thresholdOutput: 4,
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

  it("finds one column that feeds several rows, the strongest first", async () => {
    const several: PlantedLayer = {
      ...spike,
      weights: [
        [1, 2, 5],
        [0, 2, -4],
        [2, 2, 3],
      ],
    };
    expect(found(await run(plantedModel([quiet, several, quiet])))).toEqual([
      [1, 1, 2],
      [1, 0, 2],
      [1, 2, 2],
    ]);
  });

  it("finds weights in several layers", async () => {
    const weaker: PlantedLayer = { ...spike, weights: [[0, 2, 2]] };
    const report = await run(plantedModel([quiet, weaker, quiet, spike, quiet]));
    expect(found(report)).toEqual([
      [3, 1, 2],
      [1, 0, 2],
    ]);
    expect(report.passes.map(({ fromLayer, zeroed }) => [fromLayer, zeroed])).toEqual([[0, []]]);
  });

  it("says that no output stands out in a model without a spike, and where the largest activation sits", async () => {
    const report = await run(plantedModel([quiet, quiet, quiet]));
    expect(report).toMatchObject({ superWeights: [], candidates: [] });
    expect(report.finding.text).toBe(
      'No candidate for a super weight: no output stands out with a single weight behind it. The largest activation of the residual stream is 3, in layer 2, channel 0, at token 0 ("<1>").',
    );
  });

  it("traces an output to its product, wherever the layer's largest input lies", async () => {
    const apart: PlantedLayer = {
      input: [
        [0, 0, 10, 0],
        [0, 0, 0, 11],
      ],
      weights: [[1, 2, 5]],
    };
    const report = await run(plantedModel([quiet, apart, quiet]));
    expect(found(report)).toEqual([[1, 1, 2]]);
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
      verdict: "none",
      share: expect.closeTo(20 / 74, 6) as unknown,
      nextLargest: [{ contribution: 18 }, { contribution: 18 }, { contribution: 18 }],
    });
  });

  it("names a late layer that takes back what the residual stream carries as cancelling", async () => {
    const cancels: PlantedLayer = { ...spike, weights: [[1, 2, -4]] };
    const report = await run(plantedModel([quiet, spike, quiet, cancels, quiet]));
    expect(found(report)).toEqual([[1, 1, 2]]);
    expect(verdictOf(report, 3)).toMatchObject({ verdict: "cancelling", carried: 50 });
  });

  it("takes the paper's absolute threshold on input and output when asked", async () => {
    const options = { threshold: { kind: "absolute", value: 20 } };
    expect(found(await run(plantedModel([quiet, spike, quiet]), options))).toEqual([]);
    const report = await run(plantedModel([quiet, spike, quiet]), {
      threshold: { kind: "absolute", value: 9 },
    });
    expect(found(report)).toEqual([[1, 1, 2]]);
  });

  it("reports its progress layer by layer, and what it knows so far", async () => {
    const seen: string[] = [];
    const previews: [layers: number, candidates: number][] = [];
    await detect({
      ...plantedModel([quiet, spike, quiet]),
      options: detectOptions.parse({ effect: false }),
      onProgress: ({ done, total, phase }) => seen.push(`${done}/${total} ${phase}`),
      onPreview: ({ layers, candidates }) => previews.push([layers.length, candidates.length]),
    });
    expect(seen).toEqual([
      "3/9 prompt, layer 1 of 3",
      "6/9 prompt, layer 2 of 3",
      "9/9 prompt, layer 3 of 3",
    ]);
    expect(previews).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
      [3, 1],
    ]);
  });

  it("refuses to measure effects without a text", async () => {
    await expect(run(plantedModel([quiet, spike, quiet]), { effect: true })).rejects.toThrow(
      "Effects were asked for, but no text was given",
    );
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
