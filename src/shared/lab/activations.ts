import type { LabReportOf, LabRequestOf } from "../lab.ts";
import { magnitudeScale } from "../figures/axes.ts";
import { meanAccuracy } from "../figures/taskAccuracy.ts";
import { activationRecipes } from "../labRecipes.ts";
import { AGAINST_DOTTED, liveNumber, ratio, times, TIMES, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";

type Report = LabReportOf<"activations">;

export const activations = {
  name: "activations",
  title: "Activations",
  paper: "Tables 3 and 4",
  question: "What do 8-bit activations cost, and what does keeping the super activation buy?",
  grain: "the activations of all found weights together",
  paperSays: [
    "The paper's percentages are shares of what SmoothQuant gains (Llama family: 71 to 83%) or of the whole gap to 16 bits (OLMo-1B 84 and 60%, OLMo-7B 76 and 78%, Mistral-7B 14 and 25%, Llama-2-7B 9.1 and 16.7%, on Wikitext-2 and C4). Here all are shares of the gap that naive rounding opens; where it opens little, they are ratios of small numbers.",
  ],
  uses: { tasks: true, windows: true, calibration: true },
  // SmoothQuant is then left out.
  withoutCalibration: () => null,
  options: [
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
      flag: "--per <list>",
      help: "token, tensor or both: what shares an activation's scale",
    },
    {
      key: "alphas",
      label: "SmoothQuant α",
      valid: "From 0 to 1, at most 21, e.g. 0.5, 0.75, 0.85.",
      entry: { kind: "numbers" },
      flag: "--alphas <list>",
      help: "α of SmoothQuant to try, 0 to 1",
    },
    {
      key: "range",
      label: "8-bit weights",
      valid: "A range with a threshold above 0; a fraction from 0 to 1 for the tops.",
      entry: { kind: "range" },
      flag: "--clip, --range <rule>",
      help: "range of the 8-bit weights of the clipped and restored rows, METHOD:THRESHOLD or mse",
    },
    {
      key: "matmuls",
      label: "Attention",
      valid: "The inputs of both attention products are quantized too, as in the paper.",
      entry: { kind: "flag" },
      flag: "--matmuls",
      help: "quantize the inputs of attention's products too (default: the linears' alone)",
    },
  ],
  card: { place: 6 },
  livePoints: ({ alphaSearch, rows }) => [
    ...alphaSearch.map(
      ({ alpha, per, kl }) => `α ${alpha}, per ${per}: KL ${liveNumber(kl, true)} on the calibration text`,
    ),
    ...rows.map(
      ({ name, scores: { perplexity, notFinite } }) =>
        `${name}: perplexity ${liveNumber(perplexity, notFinite)}`,
    ),
  ],
  originalTasks: ({ rows }) => rows[0]?.tasks ?? [],
  scoredTokens: ({ rows }) => rows[0]?.scores.tokens ?? null,
  recipes: activationRecipes,
  compare: {
    begins: "Naive 8-bit activations cost perplexity",
    value: ({ rows }) => {
      const original = rows.find(({ method }) => method === "none");
      const naive = rows.find(({ method }) => method === "naive");
      return times(ratio(naive?.scores.perplexity, original?.scores.perplexity));
    },
    charts: (reports) => {
      const points = reports.flatMap(pointsOf);
      return [
        {
          kind: "dots",
          id: "compare-activations",
          title: "What 8-bit activations cost",
          caption: AGAINST_DOTTED,
          xLabel: TIMES,
          x: magnitudeScale([1, ...points.map(({ value }) => value)]),
          reference: 1,
          first: "Row",
          columns: ["Perplexity", "KL", "Recovered", "Mean accuracy"],
          points,
        },
      ];
    },
  },
} as const satisfies Experiment<LabRequestOf<"activations">, Report>;

function pointsOf({ rows }: Report, of: number): ComparePoint[] {
  const original = rows.find(({ method, weights }) => method === "none" && weights === "original");
  return rows
    .filter((row) => row !== original)
    .map(({ name, scores: { perplexity, kl }, recovered, tasks }) => ({
      of,
      row: name,
      value: ratio(perplexity, original?.scores.perplexity),
      cells: [perplexity, kl?.mean ?? null, recovered, meanAccuracy(tasks)],
    }));
}
