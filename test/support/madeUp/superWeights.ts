import type { LabReportOf } from "#shared/lab/index.ts";
import { FACTS, scoresOf, tasks } from "./facts.ts";

export const importance: LabReportOf<"importance"> = {
  experiment: "importance",
  ...FACTS,
  finding: {
    code: "importance/effect",
    text: "Removing 1 weight raises perplexity from 1.88 to 1.2 × 10⁷; removing 50 others to 1.89.",
  },
  rows: [
    {
      kind: "original",
      name: "original",
      change: "nothing",
      weights: 0,
      ...scoresOf(1.8808),
      tasks: tasks(0.92, 0.81),
    },
    {
      kind: "super-weights",
      name: "super weights pruned",
      change: "the super weight set to zero",
      weights: 1,
      ...scoresOf(11_953_626.18, 15.66),
      tasks: tasks(0.31, 0),
    },
    {
      kind: "super-activation-kept",
      name: "super weights pruned, super activation kept",
      change: "the super weight set to zero, the largest value of its output channel put back",
      weights: 1,
      ...scoresOf(1.881, 0.00001),
      tasks: tasks(0.92, 0.81),
    },
    {
      kind: "largest-others",
      name: "largest other weights pruned",
      change: "the 50 largest other weights of the decoder's linears set to zero",
      weights: 50,
      ...scoresOf(1.8874, 0.0031),
      tasks: tasks(0.91, 0.8),
    },
  ],
  recovered: 1,
  notes: [
    ...FACTS.notes,
    {
      code: "paper/recovered",
      text: "In the paper keeping the super activation recovers about 42 % of the loss; here it recovers everything.",
    },
  ],
};

const LAYERS = 4;
const peakRow = (values: readonly number[]): { value: number; token: number; channel: number }[] =>
  values.map((value) => ({ value, token: 0, channel: 137 }));

export const superActivations: LabReportOf<"super-activations"> = {
  experiment: "super-activations",
  ...FACTS,
  layers: LAYERS,
  prompts: [
    { text: "Apple Inc. is a worldwide tech company.", tokens: 9 },
    { text: "The river rose in the night.", tokens: 7 },
  ],
  states: [
    { name: "original", peaks: [peakRow([3.1, -242.6, -243, -60]), peakRow([2.9, -240, -241, -58])] },
    { name: "without super weights", peaks: [peakRow([3.1, 12, 15, 19]), peakRow([2.9, 11, 14, 18])] },
    {
      name: "without other outliers",
      peaks: [peakRow([3, -200, -201, -50]), peakRow([2.8, -199, -200, -49])],
    },
  ],
  persistence: [
    {
      superWeight: [1, 137, 401],
      layers: [
        { layer: 0, sameChannel: 0, sameToken: 0.5, magnitude: 0, withoutSuperWeights: 0.2 },
        { layer: 1, sameChannel: 1, sameToken: 1, magnitude: 241.3, withoutSuperWeights: 1.1 },
        { layer: 2, sameChannel: 1, sameToken: 1, magnitude: 242, withoutSuperWeights: 1.4 },
        { layer: 3, sameChannel: 1, sameToken: 1, magnitude: 59, withoutSuperWeights: 2 },
      ],
      from: 1,
      to: 3,
      token: 0,
    },
  ],
};

const WORDS =
  " the, of, and, a, to,.,\n, river, night, cold, stone, house, went, was, king, bread, <b>, light, is, on, far, we, old, at".split(
    ",",
  );
const STOP_WORDS = new Set([" the", " of", " and", " a", " to", ".", " was", " is", " on", " we", " at"]);

export const tokenProbabilities: LabReportOf<"token-probabilities"> = {
  experiment: "token-probabilities",
  ...FACTS,
  prompts: 100,
  examples: [
    {
      text: "Summer is hot. Winter is",
      original: { text: " cold", probability: 0.814 },
      pruned: { text: " the", probability: 0.09 },
    },
  ],
  tokens: WORDS.map((text, i) => {
    const original = 0.08 / (i + 1);
    return {
      id: i,
      text,
      stopWord: STOP_WORDS.has(text),
      original,
      pruned: original * (STOP_WORDS.has(text) ? 2 + (i % 4) : 0.4 / (1 + (i % 5))),
    };
  }),
  stopWords: { original: 0.21, pruned: 0.58, vocabulary: 180 },
  entropy: { original: 0.9, pruned: 4.4 },
  kl: 5.1,
};

export const sensitivity: LabReportOf<"sensitivity"> = {
  experiment: "sensitivity",
  ...FACTS,
  original: { ...scoresOf(1.8808), tasks: tasks(0.92, 0.81) },
  points: [
    { factor: 0, ...scoresOf(11_953_626, 15.66), tasks: tasks(0.31, 0) },
    { factor: 0.5, ...scoresOf(893.7, 6.16), tasks: tasks(0.5, 0.3) },
    { factor: 0.8, ...scoresOf(null, 1), tasks: tasks(0.8, 0.7) },
    { factor: 1, ...scoresOf(1.8808, 0), tasks: tasks(0.92, 0.81) },
    { factor: 1.5, ...scoresOf(1.8799, 0.0004), tasks: tasks(0.93, 0.82) },
    { factor: 3, ...scoresOf(1.91, 0.02), tasks: tasks(0.9, 0.8) },
  ],
};
