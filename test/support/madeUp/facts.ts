import type { Scores, TaskReport } from "#shared/evaluation.ts";

/** How every made-up report was scored. */
export const CONVENTION = {
  windows: "bos",
  context: 192,
  stride: 191,
  bos: true,
  documents: 24,
  windowCount: 12,
  text: "12 windows of at most 192 tokens, each led by BOS; 2,000 tokens scored of 24 documents.",
} as const;

export const FACTS = {
  model: "/models/demo",
  modelName: "demo",
  fingerprint: "f".repeat(64),
  text: "/models/eval.jsonl",
  calibration: "/models/calibration.jsonl",
  taskLimit: null,
  convention: { ...CONVENTION },
  superWeights: [[1, 137, 401]] as [number, number, number][],
  device: "cpu",
  seconds: 12.5,
  complete: true,
  cancelled: false,
  failed: null,
  reached: { done: 2, of: 2, unit: "row" },
  finding: { code: "made-up", text: "A finding with its numbers." },
  notes: [{ code: "made-up", text: "One thing the reader must know." }],
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
    path: `/models/${name}.jsonl`,
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

export const tasks = (a: number, b: number): TaskReport[] => [taskOf("choices", a), taskOf("last words", b)];
