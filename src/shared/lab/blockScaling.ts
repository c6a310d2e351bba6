import { z } from "zod";
import { common, thresholds } from "./asked.ts";
import { bits } from "./reports/facts.ts";
import { granularityText } from "../recipe.ts";
import { blockAxis, sortBlocks } from "../figures/blockAxis.ts";
import { fileWord, roundingRecipe, type NamedRecipe } from "./recipes.ts";
import { granularityLabel, rangeLabel } from "../recipeText.ts";
import {
  AGAINST_ORIGINAL,
  liveNumber,
  ratio,
  times,
  TIMES,
  type CompareChart,
  type ComparePoint,
} from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { BITS, GRANULARITY_FORMS, thresholdsOption } from "./options.ts";
import { blockScalingFigures, blockScalingReport } from "./reports/blockScalingReport.ts";

/** Figure 7 of the paper: B×B consecutive weights. */
export const DEFAULT_GRANULARITIES: readonly string[] = [
  "flat:16384",
  "flat:65536",
  "flat:262144",
  "flat:1048576",
  "tensor",
  "channel",
];

const request = z.strictObject({
  experiment: z.literal("block-scaling"),
  ...common,
  bits: z.array(bits).min(1).max(7).default([4, 3]),
  granularities: z
    .array(granularityText)
    .min(1)
    .max(32)
    .default([...DEFAULT_GRANULARITIES]),
  thresholds,
});
type Request = z.output<typeof request>;
type Report = z.output<typeof blockScalingReport>;

type Arm = Report["cells"][number]["arm"];

export const blockScaling = {
  name: "block-scaling",
  request,
  report: blockScalingReport,
  title: "Block scaling",
  paper: "Figure 7",
  question: "How large may blocks grow when super weights are restored and other outliers clipped?",
  grain: "all found weights together",
  paperSays: [
    "The paper measures the mean accuracy of seven zero-shot tasks. INT4 on Llama-7B, plain and restored: 66.21 and 66.21 at 128 × 128, 63.41 and 63.41 at 256 × 256, 50.51 and 57.85 at 512 × 512, 27.55 and 45.40 at 1024 × 1024; 70.12 unquantized. Restoring gains nothing until plain rounding has already lost much.",
    "The paper's text gives 2^(b − 1) steps, its published code 2^b levels: the code's are used here. N × N is a run of N² consecutive weights of the flattened tensor, as in that code; where the tensor's size is no multiple of it, the last block holds the rest, while the code falls back to one block for the whole tensor.",
  ],
  uses: { tasks: true, windows: true, calibration: true },
  withoutCalibration: () => "choose one.",
  options: [
    {
      key: "bits",
      label: "Bits",
      valid: "Choose at least one, from 2 to 8.",
      entry: { kind: "many", options: BITS },
      flag: "--bits <list>",
      help: "bits per weight, 2 to 8",
    },
    {
      key: "granularities",
      label: "Granularities",
      valid: `Each ${GRANULARITY_FORMS}, at most 32, e.g. ${DEFAULT_GRANULARITIES.slice(0, 2).join(", ")}, tensor.`,
      entry: { kind: "words" },
      flag: "--blocks, --granularities <list>",
      help: "granularities, e.g. group:64,channel,flat:16384,tensor",
    },
    thresholdsOption(),
  ],
  card: {
    place: 5,
    /** Its effect shows where bits are fewest. */
    figure: ({ cells }) => `block-scaling-int${Math.min(...cells.map((cell) => cell.bits))}`,
    tick: shortBlock,
  },
  figures: blockScalingFigures,
  livePoints: (found) => [
    ...found.trials.map(
      ({ bits: width, granularity, range, kl }) =>
        `INT${width}, ${granularityLabel(granularity)}, ${rangeLabel(range)}: KL ${liveNumber(kl, true)} on the calibration text`,
    ),
    ...found.cells.map(
      ({ bits: width, granularity, arm, scores: { perplexity, notFinite } }) =>
        `INT${width}, ${granularityLabel(granularity)}, ${armWords(found, arm)}: perplexity ${liveNumber(perplexity, notFinite)}`,
    ),
  ],
  originalTasks: ({ original }) => original?.tasks ?? [],
  scoredTokens: ({ original }) => original?.tokens ?? null,
  recipes: blockScalingRecipes,
  compare: {
    begins: "The largest block, clipped and restored, costs perplexity",
    value: ({ cells, original }) => {
      const fewest = Math.min(...cells.map((cell) => cell.bits));
      const last = cells.findLast((cell) => cell.bits === fewest && cell.arm === "clip-restore");
      return times(ratio(last?.scores.perplexity, original?.perplexity));
    },
    charts: (reports) => {
      const cells = reports.flatMap((found) => found.cells);
      const widths = [...new Set(cells.map((cell) => cell.bits))].sort((a, b) => a - b);
      const granularities = sortBlocks(cells);
      return widths.flatMap((width) =>
        (["clip-restore", "plain"] as const).map((arm): CompareChart => ({
          kind: "lines",
          id: `compare-block-scaling-int${width}-${arm}`,
          title: `INT${width}, ${arm === "plain" ? "plain rounding" : "clipped and restored"}`,
          caption: AGAINST_ORIGINAL,
          xLabel: "weights that share one scale",
          x: blockAxis(granularities),
          yLabel: TIMES,
          reference: 1,
          first: "Granularity",
          columns: ["Perplexity", "KL", "Bits/weight"],
          points: reports.flatMap((found, of) => pointsOf(found, of, { width, arm, granularities })),
        })),
      );
    },
  },
} as const satisfies Experiment<Request, Report>;

/** The recipes of the cells, in their order. */
function blockScalingRecipes({ cells, superWeights }: Report): NamedRecipe[] {
  return cells.map((cell) => ({
    name: fileWord(`int${cell.bits} ${cell.granularity} ${cell.arm}`),
    recipe: roundingRecipe(cell, superWeights),
  }));
}

function pointsOf(
  { cells, original }: Report,
  of: number,
  at: { readonly width: number; readonly arm: Arm; readonly granularities: readonly string[] },
): ComparePoint[] {
  return at.granularities.flatMap((granularity, x): ComparePoint[] => {
    const cell = cells.find(
      (it) => it.bits === at.width && it.granularity === granularity && it.arm === at.arm,
    );
    if (!cell) return [];
    const value = ratio(cell.scores.perplexity, original?.perplexity);
    const measured = [cell.scores.perplexity, cell.scores.kl?.mean ?? null, cell.bitsPerWeight];
    return [{ of, row: granularityLabel(granularity), x, value, cells: measured }];
  });
}

/** What an arm did: without super weights nothing is restored. */
function armWords({ superWeights }: Report, arm: Arm): string {
  if (arm === "plain") return arm;
  return superWeights.length > 0 ? "clip, restore" : "clip";
}

/** `128²` of `128 × 128`, and of two lines the first. */
export function shortBlock(text: string): string {
  const [first = ""] = text.split("<br>");
  return first.replace(/^(\d+) × \1$/, "$1²");
}
