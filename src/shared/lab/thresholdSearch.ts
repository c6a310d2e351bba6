import { z } from "zod";
import { common, thresholds } from "./asked.ts";
import { bits } from "./reports/facts.ts";
import { granularityText } from "../recipe.ts";
import { magnitudeScale } from "../figures/axes.ts";
import { parseRecipe } from "../plan.ts";
import { RANGE_METHOD_NAMES, RANGE_CHOICES } from "../ranges.ts";
import { rangeLabel, recipeLabel } from "../recipeText.ts";
import { AGAINST_DOTTED, liveNumber, ratio, times, TIMES, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { BITS, GRANULARITY_FORMS, thresholdsOption } from "./options.ts";
import { thresholdSearchFigures, thresholdSearchReport } from "./reports/thresholdSearchReport.ts";

const request = z.strictObject({
  experiment: z.literal("threshold-search"),
  ...common,
  bits: bits.default(4),
  granularity: granularityText.default("tensor"),
  /** Below 1 for the percentages where there are any, else for zscore and iqr; a method that has none of its kind takes the defaults. */
  thresholds,
  methods: z.array(z.enum(RANGE_METHOD_NAMES)).min(1).default(["zscore", "iqr", "mse"]),
  /** `model` = one threshold for all, by KL on the calibration text; `tensor` = each tensor its own. */
  scope: z.enum(["model", "tensor"]).default("model"),
  /** What a tensor's own threshold minimises: its weights' error, or its output's on the calibration text. */
  by: z.enum(["weight-error", "output-error"]).default("weight-error"),
  /** The search stops after so many scored candidates, or so many seconds; null = no bound. */
  maxTrials: z.number().int().positive().nullable().default(null),
  maxSeconds: z.number().positive().nullable().default(null),
});
type Request = z.output<typeof request>;
type Report = z.output<typeof thresholdSearchReport>;

/** Whether a search goes by the weights alone, so that it runs without a calibration text. */
export function isDataFree({ scope, by }: { readonly scope?: unknown; readonly by?: unknown }): boolean {
  return scope === "tensor" && by === "weight-error";
}

export const thresholdSearch = {
  name: "threshold-search",
  request,
  report: thresholdSearchReport,
  title: "Threshold search",
  paper: "section 4.2",
  question: "Which clip, and which threshold, suits this model at this block size?",
  grain: "all found weights together",
  paperSays: [
    "The paper takes one z-score for the whole model, the one of least reconstruction error on 500 examples of Wikitext-2's training text, and does not print it; its published code holds 9, 11, 12 and 20.",
  ],
  uses: { tasks: false, windows: true, calibration: true },
  withoutCalibration: (asks) =>
    isDataFree(asks) ? null : "choose one, or search each tensor by the error of its weights.",
  options: [
    {
      key: "bits",
      label: "Bits",
      valid: "From 2 to 8.",
      entry: { kind: "one", options: BITS },
      flag: "--bits <n>",
      help: "bits per weight, 2 to 8",
    },
    {
      key: "granularity",
      label: "Granularity",
      valid: `One of ${GRANULARITY_FORMS}, e.g. tensor.`,
      entry: { kind: "word" },
      flag: "--block, --granularity <granularity>",
      help: "granularity, e.g. group:64, channel, flat:16384, tensor",
    },
    {
      key: "methods",
      label: "Ranges",
      valid: "Choose at least one.",
      entry: {
        kind: "many",
        options: RANGE_CHOICES,
      },
      flag: "--methods <list>",
      help: `ranges to try: ${RANGE_METHOD_NAMES.join(", ")}`,
    },
    thresholdsOption(
      "clip thresholds to try: below 1 for the percentages where there are any (default for them: 1e-6 to 1e-3)",
    ),
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
      flag: "--scope <scope>",
      help: "model: one range for all tensors; tensor: each its own",
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
      flag: "--by <error>",
      help: "with --scope tensor: what a tensor's own range makes least",
      idle: ({ scope }) => scope !== "tensor",
      idleProblem: [
        "--by has no meaning here: one range for all tensors is chosen by KL on the calibration text.",
        "Leave it out, or add --scope tensor, with which each tensor has its own range.",
      ],
    },
    {
      key: "maxTrials",
      label: "At most",
      valid: "Scored candidates, a whole number from 1. Empty: no bound.",
      entry: { kind: "number", empty: "none", least: 1, whole: true },
      flag: "--max-trials <n>",
      help: "stop after so many scored candidates (default: all)",
    },
    {
      key: "maxSeconds",
      label: "Seconds",
      valid: "Above 0. Empty: no bound.",
      entry: { kind: "number", empty: "none", least: 0.001, most: 1e9, whole: false },
      flag: "--max-seconds <s>",
      help: "stop after so many seconds (default: no limit)",
    },
  ],
  card: { place: 7 },
  figures: thresholdSearchFigures,
  livePoints: ({ trials }) =>
    trials.map(
      ({ range, tensor, loss }) =>
        `${tensor === null ? "" : `${tensor}, `}${rangeLabel(range) || "no clipping"}: ${liveNumber(loss, true)}`,
    ),
  originalTasks: () => [],
  scoredTokens: ({ result }) => result?.original.tokens ?? null,
  recipes: ({ recipe }) => (recipe === null ? [] : [{ name: "found", recipe }]),
  compare: {
    begins: "The recipe that was found costs perplexity",
    value: ({ result }) => times(ratio(result?.test.perplexity, result?.original.perplexity)),
    charts: (reports) => {
      const points = reports.flatMap(pointsOf);
      return [
        {
          kind: "dots",
          id: "compare-threshold-search",
          title: "What the search found, beside plain rounding",
          caption: AGAINST_DOTTED,
          xLabel: TIMES,
          x: magnitudeScale([1, ...points.map(({ value }) => value)]),
          reference: 1,
          first: "Row",
          columns: ["Recipe", "Bits/weight", "Perplexity", "KL"],
          points,
        },
      ];
    },
  },
} as const satisfies Experiment<Request, Report>;

function pointsOf({ result, recipe, bits: width, granularity }: Report, of: number): ComparePoint[] {
  if (!result) return [];
  const label = recipe === null ? "none found" : recipeLabel(parseRecipe(recipe));
  return [
    { row: "plain rounding", scored: result.plain, words: `${width} bits, ${granularity}` },
    { row: "found", scored: result.test, words: label },
  ].map(({ row, scored, words }) => ({
    of,
    row,
    value: ratio(scored.perplexity, result.original.perplexity),
    cells: [words, result.bitsPerWeight, scored.perplexity, scored.kl?.mean ?? null],
  }));
}
