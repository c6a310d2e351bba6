import {
  detectOptions,
  type Candidate,
  type Change,
  type DetectReport,
  type Effect,
  type LayerPeaks,
} from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";

/** Layers of the made-up model. */
export const LAYERS = 30;
const NULL: Change = { kl: 0.0004, nllChange: 0.0001 };
const BASELINE = 16.1;

export function changeOf(kl: number | null): Change {
  return { kl, nllChange: kl };
}

/** An effect of so many nats, with its half and, where they are given, its column's and row's. */
export function effectOf(kl: number | null, grains: { column?: number; row?: number } = {}): Effect {
  return {
    ...changeOf(kl),
    perplexity: kl === null ? null : BASELINE * Math.exp(kl),
    baseline: BASELINE,
    nll: kl === null ? null : Math.log(BASELINE) + kl,
    tokens: 512,
    half: kl === null || kl < 0.05 ? null : changeOf(kl / 4),
    column: grains.column === undefined ? null : changeOf(grains.column),
    row: grains.row === undefined ? null : changeOf(grains.row),
    null: NULL,
  };
}

/** A candidate with its evidence; what is not given is plain. */
export function candidateOf(
  layer: number,
  row: number,
  column: number,
  given: Partial<Candidate> = {},
): Candidate {
  const outputActivation = given.outputActivation ?? 100;
  return {
    layer,
    row,
    column,
    tensor: `model.layers.${layer}.mlp.down_proj.weight`,
    value: 1.25,
    inputActivation: outputActivation / 1.6,
    outputActivation,
    contribution: outputActivation * 0.8,
    share: 0.8,
    token: 0,
    pass: 1,
    after: [],
    rank: 3,
    sigma: 21.4,
    timesMedian: Math.abs(outputActivation) / 35,
    carried: 12.5,
    normGain: { value: 0.31, median: 1.24 },
    carriers: [
      { bos: true, token: 0, text: "<s>", input: outputActivation / 1.6, output: outputActivation },
      { bos: false, token: 0, text: "Apple", input: outputActivation / 2, output: outputActivation * 0.8 },
    ],
    published: null,
    nextLargest: [{ column: 7, contribution: 3.5 }],
    verdict: "spike-without-effect",
    reason: `KL ${given.effect?.kl ?? "not measured"}: nothing depends on this output.`,
    ...given,
  };
}

const SPOKES = [40, 41, 42, 43, 44, 45];
const FIRST: Coordinate = [11, 507, 1229];
const SECOND: Coordinate = [2, 507, 90];

/** Twelve candidates in the unmodified model and one that appears later: two super weights, six spokes of a column, a canceller. */
export function madeUpDetection(model = "/models/demo"): DetectReport {
  const superWeights = [
    candidateOf(FIRST[0], FIRST[1], FIRST[2], {
      outputActivation: 24_022,
      verdict: "super",
      effect: effectOf(3.26, { column: 3.31, row: 3.4 }),
      reason: "KL 3.2600 with it zeroed, 8,150 × the null.",
      published: "SmolLM2-135M",
    }),
    candidateOf(SECOND[0], SECOND[1], SECOND[2], {
      outputActivation: 497,
      verdict: "super",
      effect: effectOf(0.72, { column: 0.73, row: 0.9 }),
      reason: "KL 0.7200 with it zeroed, 1,800 × the null.",
    }),
    ...SPOKES.map((row, i) =>
      candidateOf(4, row, 300, {
        outputActivation: 260 - 9 * i,
        verdict: "together",
        effect: effectOf(0.006 - 0.0004 * i, { column: 1.9 }),
        reason: "Little alone; with its whole column zeroed KL 1.9000.",
      }),
    ),
  ];
  const candidates = [
    candidateOf(9, 507, 200, {
      outputActivation: -500,
      verdict: "cancelling",
      carried: 24_100,
      effect: effectOf(0.127),
      reason: "It takes back 500 of the 24,100 that the residual stream carries.",
    }),
    candidateOf(28, 247, 678, { outputActivation: 2_100, effect: effectOf(0.0009) }),
    candidateOf(28, 507, 678, { outputActivation: -14_217, verdict: "cancelling", effect: effectOf(0.0006) }),
    candidateOf(27, 199, 903, {
      outputActivation: 640,
      verdict: "none",
      share: 0.2,
      effect: effectOf(0.0002),
    }),
    candidateOf(28, 17, 678, {
      outputActivation: 990,
      pass: 2,
      after: [FIRST],
      effect: effectOf(0.0003),
      reason: "Only a model that has lost a super weight makes this output.",
    }),
  ];
  const layers = Array.from({ length: LAYERS }, (_, layer) => peaksOf(layer, superWeights, candidates));
  return {
    model,
    fingerprint: "f".repeat(64),
    revision: "r".repeat(64),
    options: detectOptions.parse({}),
    finding: {
      code: "detection/found",
      text: "2 super weights, and 6 weights that matter together: layer 11 [507, 1229] costs KL 3.26. The null is 0.0004.",
    },
    tokens: [
      { id: 1, text: "<s>" },
      { id: 2, text: "Apple" },
    ],
    superWeights,
    candidates,
    columns: [
      {
        layer: 4,
        column: 300,
        spokes: SPOKES.map((row): Coordinate => [4, row, 300]),
        whole: changeOf(1.9),
        spokesTogether: changeOf(1.7),
        rest: changeOf(1.2),
      },
    ],
    pairs: [
      { first: FIRST, second: [9, 507, 200], both: changeOf(0.9), alone: [3.26, 0.127], kind: "masks" },
      { first: SECOND, second: [4, 40, 300], both: changeOf(2.4), alone: [0.72, 0.006], kind: "compensate" },
    ],
    others: [
      otherOf(3, "random", 0.0001),
      otherOf(7, "random", 0.0004),
      otherOf(0, "largest", 0.0002),
      otherOf(5, "largest", 0.0003),
    ],
    judged: {
      text: "a short passage",
      tokens: 512,
      nll: Math.log(BASELINE),
      perplexity: BASELINE,
      information: 6.2,
      thresholdKl: 0.186,
      null: NULL,
      allTogether: changeOf(3.9),
    },
    maximum: { value: 24_520, token: 0, channel: 507, layer: 11, text: "Apple" },
    experts: null,
    publishedResults: [
      {
        source: "a census of 22 models",
        model: "SmolLM2-135M",
        grain: "row",
        layer: 11,
        row: 507,
        column: null,
        measure: "NLL, % more",
        value: 313,
        note: null,
      },
      {
        source: "the paper",
        model: "SmolLM2-135M",
        grain: "weight",
        layer: 11,
        row: 507,
        column: 1229,
        measure: null,
        value: null,
        note: "coordinate only",
      },
    ],
    open: ["32 candidates were measured at most: 3 weaker ones were not."],
    layers,
    passes: [
      { pass: 1, fromLayer: 0, layers, zeroed: [] },
      { pass: 2, fromLayer: 11, layers: layers.slice(11).map(damped), zeroed: [FIRST] },
      { pass: 3, fromLayer: 2, layers: layers.slice(2).map(damped), zeroed: [FIRST, SECOND] },
      {
        pass: 4,
        fromLayer: 2,
        layers: layers.slice(2).map(damped),
        zeroed: superWeights.map(({ layer, row, column }): Coordinate => [layer, row, column]),
      },
    ],
    medianOutput: 35,
    thresholdOutput: 140,
    device: "cpu",
    seconds: 12.4,
    peakRssBytes: 5e8,
  };
}

function peaksOf(layer: number, ...lists: (readonly Candidate[])[]): LayerPeaks {
  const here = lists.flat().find((one) => one.layer === layer && one.after.length === 0);
  const output = here?.outputActivation ?? 20 + layer;
  return {
    layer,
    input: { value: here?.inputActivation ?? 9 + layer / 2, token: 0, channel: here?.column ?? 5 },
    output: { value: output, token: 0, channel: here?.row ?? 5 },
    residual: {
      value: layer < 2 ? 30 : layer < 11 ? 520 : layer < 28 ? 24_500 : 10_300,
      token: 0,
      channel: 507,
    },
  };
}

function damped(peaks: LayerPeaks): LayerPeaks {
  const value = 25 + peaks.layer;
  return {
    layer: peaks.layer,
    input: { ...peaks.input, value: value / 2 },
    output: { ...peaks.output, value },
    residual: { ...peaks.residual, value: 2 * value },
  };
}

function otherOf(layer: number, chosen: "random" | "largest", kl: number): DetectReport["others"][number] {
  return {
    tensor: `model.layers.${layer}.self_attn.q_proj.weight`,
    row: 10 + layer,
    column: 20,
    value: chosen === "largest" ? 6.5 : 0.02,
    chosen,
    kl,
    nllChange: kl / 2,
  };
}
