import type { LabReportOf } from "#shared/lab/index.ts";
import { parseRecipe } from "#shared/plan.ts";
import { FACTS, scoresOf, tasks } from "./facts.ts";

const BLOCKS = ["flat:16384", "flat:65536", "tensor", "channel"];

export const blockScaling: LabReportOf<"block-scaling"> = {
  experiment: "block-scaling",
  ...FACTS,
  original: { ...scoresOf(1.8808), tasks: tasks(0.92, 0.81) },
  cells: [4, 3].flatMap((bits) =>
    BLOCKS.flatMap((granularity, i) =>
      (["plain", "clip-restore"] as const).map((arm) => {
        const harm = (arm === "plain" ? 3 : 1) * (i + 1) * (5 - bits) ** 4;
        return {
          bits,
          granularity,
          arm,
          range: arm === "plain" ? null : ({ method: "zscore", threshold: 5 } as const),
          calibrationKl: arm === "plain" ? null : harm * 0.001,
          bitsPerWeight: bits + 0.002,
          scores: scoresOf(1.8808 * Math.exp(harm * 0.01), harm * 0.0011),
          tasks: tasks(0.9 - harm * 0.002, 0.8 - harm * 0.002),
        };
      }),
    ),
  ),
  trials: [4, 3].flatMap((bits) =>
    BLOCKS.flatMap((granularity, i) =>
      [3, 5, 9, 20].map((threshold) => ({
        bits,
        granularity,
        range: { method: "zscore", threshold } as const,
        kl: 0.001 * (1 + Math.abs(threshold - 5)) * (i + 1) * (5 - bits) ** 4,
        perplexity: 1.9,
      })),
    ),
  ),
};

export const activations: LabReportOf<"activations"> = {
  experiment: "activations",
  ...FACTS,
  matmuls: false,
  rows: [
    {
      name: "original",
      method: "none",
      per: null,
      weights: "original",
      alpha: null,
      scores: scoresOf(5.68),
      recovered: null,
      tasks: tasks(0.92, 0.81),
    },
    {
      name: "naive W8A8, per token",
      method: "naive",
      per: "token",
      weights: "8-bit",
      alpha: null,
      scores: scoresOf(5.83, 0.02),
      recovered: 0,
      tasks: tasks(0.9, 0.79),
    },
    {
      name: "SmoothQuant, per token",
      method: "smoothquant",
      per: "token",
      weights: "8-bit",
      alpha: 0.85,
      scores: scoresOf(5.71, 0.004),
      recovered: 0.8,
      tasks: tasks(0.91, 0.8),
    },
    {
      name: "super activation kept, per token",
      method: "super-activation",
      per: "token",
      weights: "8-bit",
      alpha: null,
      scores: scoresOf(5.74, 0.006),
      recovered: 0.6,
      tasks: tasks(0.91, 0.81),
    },
    {
      name: "naive W8A8, per tensor",
      method: "naive",
      per: "tensor",
      weights: "8-bit",
      alpha: null,
      scores: scoresOf(21.4, 1.3),
      recovered: 0,
      tasks: tasks(0.6, 0.41),
    },
  ],
  alphaSearch: [0.5, 0.65, 0.85, 0.95].flatMap((alpha) =>
    (["token", "tensor"] as const).map((per) => ({
      alpha,
      per,
      kl: (per === "token" ? 0.004 : 0.4) * (1 + Math.abs(alpha - 0.65)),
      perplexity: 5.7,
    })),
  ),
};

const RECIPE = parseRecipe({
  scheme: "affine",
  bits: 4,
  granularity: "tensor",
  range: { method: "zscore", threshold: 9 },
  restore: [[1, 137, 401]],
});

export const thresholdSearch: LabReportOf<"threshold-search"> = {
  experiment: "threshold-search",
  ...FACTS,
  bits: 4,
  granularity: "tensor",
  scope: "model",
  by: null,
  trials: [
    { range: null, tensor: null, loss: 1.2, best: false },
    ...[3, 5, 9, 20].map((threshold) => ({
      range: { method: "zscore", threshold } as const,
      tensor: null,
      loss: 0.01 * (1 + Math.abs(threshold - 9)),
      best: threshold === 9,
    })),
    ...[1.5, 3, 6].map((threshold) => ({
      range: { method: "iqr", threshold } as const,
      tensor: null,
      loss: 0.02 * (1 + Math.abs(threshold - 6)),
      best: false,
    })),
    { range: { method: "mse" }, tensor: null, loss: 0.03, best: false },
  ],
  stopped: null,
  recipe: RECIPE,
  result: {
    calibration: {
      kl: { mean: 0.01, median: 0.004, p99: 0.1, max: 0.5, topAgreement: 0.94 },
      perplexity: 1.9,
    },
    test: scoresOf(1.89, 0.012),
    plain: scoresOf(108_435, 10.9),
    original: scoresOf(1.8808),
    bitsPerWeight: 4.002,
  },
};
