import type { Scores, TaskReport } from "#shared/evaluation.ts";
import type { ExperimentName, LabReport, LabReportOf } from "#shared/lab.ts";
import { parseRecipe } from "#shared/plan.ts";
import { bestVariant, paretoFront } from "#shared/ranking.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { RunDetail, VariantResult } from "#shared/run.ts";

/** Made-up reports, one an experiment: small, whole, and with the odd values that charts must bear. */

const CONVENTION = {
  windows: "bos",
  context: 192,
  stride: 191,
  bos: true,
  documents: 24,
  windowCount: 12,
  text: "12 windows of at most 192 tokens, each led by BOS; 2,000 tokens scored of 24 documents.",
} as const;

const FACTS = {
  model: "/models/demo",
  modelName: "demo",
  fingerprint: "f".repeat(64),
  text: "/models/eval.jsonl",
  calibration: "/models/calibration.jsonl",
  convention: { ...CONVENTION },
  superWeights: [[1, 137, 401]] as [number, number, number][],
  device: "cpu",
  seconds: 12.5,
  complete: true,
  finding: "A finding with its numbers.",
  notes: ["One thing the reader must know."],
};

export function scoresOf(perplexity: number | null, kl: number | null = null): Scores {
  return {
    nll: perplexity === null ? null : Math.log(perplexity),
    perplexity,
    wordPerplexity: null,
    bytePerplexity: null,
    bitsPerByte: null,
    tokens: 2000,
    nllStandardError: 0.01,
    ...(perplexity === null ? { notFinite: true as const } : {}),
    ...(kl === null
      ? {}
      : { kl: { mean: kl, median: kl / 2, p99: kl * 9, max: kl * 20, topAgreement: 0.9 } }),
  };
}

export function taskOf(name: string, accuracy: number): TaskReport {
  return {
    name,
    files: [],
    dataset: "own",
    kind: "choice",
    n: 200,
    correct: Math.round(accuracy * 200),
    accuracy,
    stderr: 0.03,
    accuracyNorm: null,
    stderrNorm: null,
    perplexity: null,
    truncated: 0,
    skipped: [],
  };
}

const tasks = (a: number, b: number): TaskReport[] => [taskOf("choices", a), taskOf("last words", b)];

const importance: LabReportOf<"importance"> = {
  experiment: "importance",
  ...FACTS,
  finding: "Removing 1 weight raises perplexity from 1.88 to 1.2 × 10⁷; removing 50 others to 1.89.",
  rows: [
    { name: "original", change: "nothing", weights: 0, ...scoresOf(1.8808), tasks: tasks(0.92, 0.81) },
    {
      name: "super weights pruned",
      change: "the super weight set to zero",
      weights: 1,
      ...scoresOf(11_953_626.18, 15.66),
      tasks: tasks(0.31, 0),
    },
    {
      name: "super weights pruned, super activation kept",
      change: "the super weight set to zero, the largest value of its output channel put back",
      weights: 1,
      ...scoresOf(1.881, 0.00001),
      tasks: tasks(0.92, 0.81),
    },
    {
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
    "In the paper keeping the super activation recovers about 42 % of the loss; here it recovers everything.",
  ],
};

const LAYERS = 4;
const peakRow = (values: readonly number[]): { value: number; token: number; channel: number }[] =>
  values.map((value) => ({ value, token: 0, channel: 137 }));

const superActivations: LabReportOf<"super-activations"> = {
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

const tokenProbabilities: LabReportOf<"token-probabilities"> = {
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

const sensitivity: LabReportOf<"sensitivity"> = {
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

const BLOCKS = ["flat:16384", "flat:65536", "tensor", "channel"];

const blockScaling: LabReportOf<"block-scaling"> = {
  experiment: "block-scaling",
  ...FACTS,
  original: { ...scoresOf(1.8808), tasks: tasks(0.92, 0.81) },
  cells: [4, 3].flatMap((bits) =>
    BLOCKS.flatMap((block, i) =>
      (["plain", "clip-restore"] as const).map((arm) => {
        const harm = (arm === "plain" ? 3 : 1) * (i + 1) * (5 - bits) ** 4;
        return {
          bits,
          block,
          arm,
          clip: arm === "plain" ? null : ({ method: "zscore", threshold: 5 } as const),
          calibrationKl: arm === "plain" ? null : harm * 0.001,
          bitsPerWeight: bits + 0.002,
          scores: scoresOf(1.8808 * Math.exp(harm * 0.01), harm * 0.0011),
          tasks: tasks(0.9 - harm * 0.002, 0.8 - harm * 0.002),
        };
      }),
    ),
  ),
  trials: [4, 3].flatMap((bits) =>
    BLOCKS.flatMap((block, i) =>
      [3, 5, 9, 20].map((threshold) => ({
        bits,
        block,
        clip: { method: "zscore", threshold } as const,
        kl: 0.001 * (1 + Math.abs(threshold - 5)) * (i + 1) * (5 - bits) ** 4,
        perplexity: 1.9,
      })),
    ),
  ),
};

const activations: LabReportOf<"activations"> = {
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
    },
    {
      name: "naive W8A8, per token",
      method: "naive",
      per: "token",
      weights: "8-bit",
      alpha: null,
      scores: scoresOf(5.83, 0.02),
      recovered: 0,
    },
    {
      name: "SmoothQuant, per token",
      method: "smoothquant",
      per: "token",
      weights: "8-bit",
      alpha: 0.85,
      scores: scoresOf(5.71, 0.004),
      recovered: 0.8,
    },
    {
      name: "super activation kept, per token",
      method: "super-activation",
      per: "token",
      weights: "8-bit",
      alpha: null,
      scores: scoresOf(5.74, 0.006),
      recovered: 0.6,
    },
    {
      name: "naive W8A8, per tensor",
      method: "naive",
      per: "tensor",
      weights: "8-bit",
      alpha: null,
      scores: scoresOf(21.4, 1.3),
      recovered: 0,
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
  codec: "rtn",
  bits: 4,
  block: "tensor",
  clip: { method: "zscore", threshold: 9 },
  restore: [[1, 137, 401]],
});

const thresholdSearch: LabReportOf<"threshold-search"> = {
  experiment: "threshold-search",
  ...FACTS,
  bits: 4,
  block: "tensor",
  scope: "model",
  by: null,
  trials: [
    { clip: null, tensor: null, loss: 1.2, best: false },
    ...[3, 5, 9, 20].map((threshold) => ({
      clip: { method: "zscore", threshold } as const,
      tensor: null,
      loss: 0.01 * (1 + Math.abs(threshold - 9)),
      best: threshold === 9,
    })),
    ...[1.5, 3, 6].map((threshold) => ({
      clip: { method: "iqr", threshold } as const,
      tensor: null,
      loss: 0.02 * (1 + Math.abs(threshold - 6)),
      best: false,
    })),
    { clip: { method: "mse" }, tensor: null, loss: 0.03, best: false },
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

export const LAB_REPORTS: readonly LabReport[] = [
  importance,
  superActivations,
  tokenProbabilities,
  sensitivity,
  blockScaling,
  activations,
  thresholdSearch,
];

export function labReportOf<E extends ExperimentName>(experiment: E): LabReportOf<E> {
  const found = LAB_REPORTS.find((report) => report.experiment === experiment);
  if (!found) throw new Error(`There is no made-up report of ${experiment}.`);
  return found as LabReportOf<E>;
}

/** A run of 24 variants over two bit widths, three blocks and the four arms; one failed. */
export function madeUpRun(): RunDetail {
  const recipes = [4, 3].flatMap((bits) =>
    ["group:64", "flat:16384", "tensor"].flatMap((block) =>
      (
        [
          {},
          { clip: { method: "zscore", threshold: 5 } },
          { clip: { method: "zscore", threshold: 5 }, restore: [[1, 137, 401]] },
          { restore: [[1, 137, 401]], holdOut: true },
        ] as const
      ).map((fields) => parseRecipe({ codec: "rtn", bits, block, ...fields })),
    ),
  );
  const results = recipes.map((recipe, index): VariantResult => {
    const failed = index === 5;
    const harm = ((index % 4) + 1) * 0.01 * (5 - recipe.bits) ** 3 * (Math.floor(index / 4) + 1);
    return {
      id: index.toString(16).padStart(64, "0"),
      index,
      recipe,
      label: recipeLabel(recipe),
      status: failed ? "failed" : "done",
      bitsPerWeight: failed ? null : recipe.bits + (recipe.block === "group:64" ? 0.5 : 0.002),
      fileBitsPerWeight: failed ? null : recipe.bits + 2,
      perplexity: failed ? null : 1.8808 * Math.exp(harm),
      nll: failed ? null : Math.log(1.8808) + harm,
      tokens: failed ? null : 2000,
      kl: failed ? null : { mean: harm, median: harm / 2, p99: harm * 9, max: harm * 20, topAgreement: 0.9 },
      sqnrDb: failed ? null : 20 - index / 2,
      seconds: 1,
      worker: 0,
      startedAt: 0,
      finishedAt: 1,
      attempts: 1,
      ...(failed
        ? {
            error: {
              code: "recipe/x",
              message: "It does not fit.",
              next: "Choose another block.",
              details: {},
            },
          }
        : {}),
    };
  });
  return {
    summary: {
      id: "run-1",
      name: "Blocks and arms",
      model: FACTS.model,
      modelName: FACTS.modelName,
      created: "2026-01-02T03:04:05.000Z",
      updated: "2026-01-02T03:09:05.000Z",
      status: "done",
      done: results.length - 1,
      failed: 1,
      total: results.length,
      best: bestVariant(results),
    },
    judge: { windows: "bos", tokens: 2000 },
    text: FACTS.text,
    calibration: null,
    convention: { ...CONVENTION },
    baseline: scoresOf(1.8808),
    superWeights: [[1, 137, 401]],
    results,
    best: bestVariant(results),
    pareto: paretoFront(results),
    workers: 2,
    threadsPerWorker: 1,
    device: "cpu",
    seconds: 300,
    notes: [],
  };
}
