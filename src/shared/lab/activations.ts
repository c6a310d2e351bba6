import { z } from "zod";
import { common } from "./asked.ts";
import { rangeRule, type RecipeInput } from "../recipe.ts";
import { magnitudeScale } from "../figures/axes.ts";
import { meanAccuracy } from "../figures/taskAccuracy.ts";
import { fileWord, type NamedRecipe } from "./recipes.ts";
import { AGAINST_DOTTED, liveNumber, ratio, times, TIMES, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { activationFigures, activationsReport } from "./reports/activationsReport.ts";

const request = z.strictObject({
  experiment: z.literal("activations"),
  ...common,
  per: z
    .array(z.enum(["token", "tensor"]))
    .min(1)
    .max(2)
    .default(["token", "tensor"]),
  matmuls: z.boolean().default(false),
  /** α tried for SmoothQuant on the calibration text; the paper's is 0.85. */
  alphas: z.array(z.number().min(0).max(1)).min(1).max(21).default([0.5, 0.65, 0.75, 0.85, 0.95]),
  /** The 8-bit weights of the clipped and restored rows. */
  range: rangeRule.default({ method: "zscore", threshold: 9 }),
});
type Request = z.output<typeof request>;
type Report = z.output<typeof activationsReport>;
type Row = Report["rows"][number];
type Asked = Pick<Request, "range" | "matmuls">;

export const activations = {
  name: "activations",
  request,
  report: activationsReport,
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
  figures: activationFigures,
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
} as const satisfies Experiment<Request, Report>;

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

/** Symmetric 8-bit weights, one scale a tensor, as the paper simulates W8A8; clipped and restored where asked. Null = the original. */
export function weightRecipe(
  { weights }: Pick<Row, "weights">,
  { range }: Pick<Asked, "range">,
  superWeights: Report["superWeights"],
): RecipeInput | null {
  if (weights === "original") return null;
  const plain = { scheme: "int", bits: 8, symmetric: true, granularity: "tensor" } as const;
  return weights === "8-bit" ? plain : { ...plain, range, restore: [...superWeights] };
}

/** What is done to a row's activations; null = they are as they are. */
export function rowActivations(
  { method, per, alpha }: Pick<Row, "method" | "per" | "alpha">,
  { matmuls }: Pick<Asked, "matmuls">,
): NonNullable<RecipeInput["activations"]> | null {
  if (method === "none" || per === null) return null;
  return { bits: 8, per, matmuls, method, ...(alpha === null ? {} : { alpha }) };
}

/** The recipes of the rows that quantize something, in their order. */
function activationRecipes({ rows, superWeights }: Report, request: Asked): NamedRecipe[] {
  return rows.flatMap((row) => {
    const weights = weightRecipe(row, request, superWeights);
    const activations = rowActivations(row, request);
    if (weights === null) return [];
    const name = fileWord(
      `${activations ? `w8a8 per ${row.per} ${row.method}` : "w8"}${row.weights === "8-bit" ? "" : " clip-restore"}`,
    );
    return [{ name, recipe: activations ? { ...weights, activations } : weights }];
  });
}
