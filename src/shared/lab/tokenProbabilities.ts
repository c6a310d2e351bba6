import { z } from "zod";
import { common, prompts } from "./asked.ts";
import { percentScale } from "../figures/axes.ts";
import { percent, plural } from "../format.ts";
import { liveNumber, ratio, times, type ComparePoint } from "./compareChart.ts";
import type { Experiment } from "./experiment.ts";
import { promptOptions } from "./options.ts";
import { tokenProbabilityFigures, tokenProbabilitiesReport } from "./reports/tokenProbabilitiesReport.ts";

const request = z.strictObject({
  experiment: z.literal("token-probabilities"),
  ...common,
  /** Empty = contexts from the text's documents, cut before their last word. */
  prompts,
  promptCount: z.number().int().min(1).max(5000).default(100),
});
type Request = z.output<typeof request>;
type Report = z.output<typeof tokenProbabilitiesReport>;

/** Tokens of a card's chart: the whole top 20 stands in the experiment's own view. */
const CARD_TOKENS = 10;
/** The longest end of a prompt that a table cell shows, in characters. */
const PROMPT_END = 120;

export const tokenProbabilities = {
  name: "token-probabilities",
  request,
  report: tokenProbabilitiesReport,
  title: "Token probabilities",
  paper: "Figure 5",
  question: "Which next tokens gain and lose without the super weights? Are they stop words?",
  grain: "all found weights together",
  // Its own note says it all.
  paperSays: [],
  uses: { tasks: false, windows: false, calibration: false },
  options: promptOptions(5000, "the text's documents, each cut before its last word"),
  card: {
    place: 4,
    shortened: (found) => ({
      ...found,
      tokens: found.tokens
        .toSorted((a, b) => Math.max(b.original, b.pruned) - Math.max(a.original, a.pruned))
        .slice(0, CARD_TOKENS),
    }),
  },
  figures: tokenProbabilityFigures,
  livePoints: ({ prompts, stopWords, kl }) => [
    `${plural(prompts, "prompt")}: stop words ${percent(stopWords.original)} to ${percent(stopWords.pruned)} of the probability, KL ${liveNumber(kl, true)}`,
  ],
  originalTasks: () => [],
  scoredTokens: () => null,
  tables: ({ examples }) =>
    examples.length === 0
      ? []
      : [
          {
            label: "Examples: the likeliest next token",
            table: {
              columns: [
                { title: "Prompt", format: "text" },
                { title: "Original", format: "text" },
                { title: "Probability", format: "percent" },
                { title: "Without super weights", format: "text" },
                { title: "Probability", format: "percent" },
              ],
              rows: examples.map(({ text, original, pruned }) => [
                text.length > PROMPT_END ? `…${text.slice(-PROMPT_END)}` : text,
                original.text,
                original.probability,
                pruned.text,
                pruned.probability,
              ]),
            },
          },
        ],
  compare: {
    begins: "Without super weights, stop words become likelier:",
    value: ({ stopWords }) => times(ratio(stopWords.pruned, stopWords.original)),
    charts: (reports) => [
      {
        kind: "dots",
        id: "compare-token-probabilities",
        title: "Probability that the next token is a stop word",
        caption: "Mean over each model's prompts; stop words and punctuation count.",
        xLabel: "probability",
        x: percentScale(),
        first: "State",
        columns: ["Stop words", "Entropy, nats", "KL", "Prompts"],
        points: STATES.flatMap((state) => reports.map((found, of) => pointOf(found, of, state))),
      },
    ],
  },
} as const satisfies Experiment<Request, Report>;

const STATES = ["original", "pruned"] as const;

function pointOf(
  { stopWords, entropy, kl, prompts }: Report,
  of: number,
  state: (typeof STATES)[number],
): ComparePoint {
  return {
    of,
    row: state === "original" ? "stop word next, original" : "stop word next, without super weights",
    value: stopWords[state],
    cells: [stopWords[state], entropy[state], state === "pruned" ? kl : null, prompts],
  };
}
