import {
  DEFAULT_GRANULARITIES,
  DEFAULT_FACTORS,
  DEFAULT_THRESHOLDS,
  type ExperimentName,
} from "#shared/lab.ts";

/** One setting of an experiment as the form asks for it: its key in the request, and in words what it may hold. */
export interface Field {
  key: string;
  label: string;
  /** What is valid, with an example: the hint under the field, and its error. */
  valid: string;
  entry:
    | { kind: "number"; empty?: "required" | "none" }
    | { kind: "numbers" }
    | { kind: "word" }
    | { kind: "words" }
    | { kind: "lines" }
    | { kind: "flag" }
    | { kind: "range" }
    | { kind: "one"; options: readonly Option[] }
    | { kind: "many"; options: readonly Option[] };
}

export interface Option {
  /** As it stands in the request. */
  value: string | number;
  label: string;
  title?: string;
}

const BITS: readonly Option[] = [2, 3, 4, 5, 6, 8].map((bits) => ({ value: bits, label: String(bits) }));

/** The clips that have a threshold of their own, and the one that searches it. */
export const RANGE_METHODS = [
  { value: "zscore", label: "z-score", title: "Weights beyond so many standard deviations" },
  { value: "iqr", label: "IQR", title: "Beyond so many interquartile ranges from the quartiles" },
  { value: "block-percentage", label: "top of block", title: "A fraction of each block's weights" },
  { value: "tensor-percentage", label: "top of tensor", title: "A fraction of the tensor's weights" },
  { value: "mse", label: "MSE", title: "The range of least squared error; it has no threshold" },
] as const satisfies readonly Option[];

const prompts = (most: string): Field[] => [
  {
    key: "promptCount",
    label: "Prompts",
    valid: `A whole number from 1 to ${most}.`,
    entry: { kind: "number", empty: "required" },
  },
  {
    key: "prompts",
    label: "Own prompts",
    valid: "One a line, at most 512. Empty: taken from the text.",
    entry: { kind: "lines" },
  },
];

const thresholds: Field = {
  key: "thresholds",
  label: "Thresholds",
  valid: `Above 0, at most 64, e.g. ${DEFAULT_THRESHOLDS.join(", ")}.`,
  entry: { kind: "numbers" },
};

const GRANULARITY_FORMS = "group:N, channel, tensor, flat:N or tile:RxC";

/** What each experiment can be asked beside the text it is judged on, in the order of its form. */
export const FIELDS: Readonly<Record<ExperimentName, readonly Field[]>> = {
  importance: [],
  "super-activations": prompts("512"),
  "token-probabilities": prompts("5,000"),
  sensitivity: [
    {
      key: "factors",
      label: "Factors",
      valid: `From −16 to 16, at most 64, e.g. ${DEFAULT_FACTORS.join(", ")}.`,
      entry: { kind: "numbers" },
    },
  ],
  "block-scaling": [
    {
      key: "bits",
      label: "Bits",
      valid: "Choose at least one, from 2 to 8.",
      entry: { kind: "many", options: BITS },
    },
    {
      key: "granularities",
      label: "Granularities",
      valid: `Each ${GRANULARITY_FORMS}, at most 32, e.g. ${DEFAULT_GRANULARITIES.slice(0, 2).join(", ")}, tensor.`,
      entry: { kind: "words" },
    },
    thresholds,
  ],
  activations: [
    {
      key: "per",
      label: "Scales per",
      valid: "Choose at least one.",
      entry: {
        kind: "many",
        options: [
          { value: "token", label: "token", title: "Each token's activations have their own scale" },
          { value: "tensor", label: "tensor", title: "One scale for all tokens of a window" },
        ],
      },
    },
    {
      key: "alphas",
      label: "SmoothQuant α",
      valid: "From 0 to 1, at most 21, e.g. 0.5, 0.75, 0.85.",
      entry: { kind: "numbers" },
    },
    {
      key: "range",
      label: "8-bit weights",
      valid: "A range with a threshold above 0; a fraction from 0 to 1 for the tops.",
      entry: { kind: "range" },
    },
    {
      key: "matmuls",
      label: "Attention",
      valid: "The inputs of both attention products are quantized too, as in the paper.",
      entry: { kind: "flag" },
    },
  ],
  "threshold-search": [
    {
      key: "bits",
      label: "Bits",
      valid: "From 2 to 8.",
      entry: { kind: "one", options: BITS },
    },
    {
      key: "granularity",
      label: "Granularity",
      valid: `One of ${GRANULARITY_FORMS}, e.g. tensor.`,
      entry: { kind: "word" },
    },
    {
      key: "methods",
      label: "Ranges",
      valid: "Choose at least one.",
      entry: { kind: "many", options: RANGE_METHODS },
    },
    thresholds,
    {
      key: "scope",
      label: "For",
      valid: "The model: one range for all, by KL. Each tensor: its own, by its error.",
      entry: {
        kind: "one",
        options: [
          { value: "model", label: "the model" },
          { value: "tensor", label: "each tensor" },
        ],
      },
    },
    {
      key: "by",
      label: "Least error of",
      valid: "Of a tensor's weights, or of its output on the calibration text.",
      entry: {
        kind: "one",
        options: [
          { value: "weight-error", label: "weights" },
          { value: "output-error", label: "output" },
        ],
      },
    },
    {
      key: "maxTrials",
      label: "At most",
      valid: "Scored candidates, a whole number from 1. Empty: no bound.",
      entry: { kind: "number", empty: "none" },
    },
    {
      key: "maxSeconds",
      label: "Seconds",
      valid: "Above 0. Empty: no bound.",
      entry: { kind: "number", empty: "none" },
    },
  ],
};
