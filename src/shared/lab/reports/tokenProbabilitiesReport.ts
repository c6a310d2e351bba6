import { z } from "zod";
import { finiteOrNull } from "../../numbers.ts";
import { facts } from "./facts.ts";
import { factor, percent } from "../../format.ts";
import { magnitudeScale, type Scale } from "../../figures/axes.ts";
import { dotPlot, type DotRow } from "../../figures/dotPlot.ts";
import type { Figure } from "../../figures/figure.ts";
import type { Palette } from "../../figures/palette.ts";
import { probabilityText, type FigureTable } from "../../figures/table.ts";
import { linearAxis } from "../../figures/template.ts";
import { tokenText } from "../../figures/words.ts";

/** Tokens on record for their change, so many that gain most and so many that lose most. */
export const MOST_MOVED = 10;

/** Figure 5. */
export const tokenProbabilitiesReport = z.object({
  experiment: z.literal("token-probabilities"),
  ...facts,
  prompts: z.number().int(),
  /** A few of the prompts, for the reader. */
  examples: z.array(
    z.object({
      text: z.string(),
      original: z.object({ text: z.string(), probability: z.number() }),
      pruned: z.object({ text: z.string(), probability: z.number() }),
    }),
  ),
  /** Mean probability over prompts; the union of both models' 20 likeliest and of the largest changes either way. */
  tokens: z.array(
    z.object({
      id: z.number().int(),
      text: z.string(),
      stopWord: z.boolean(),
      original: z.number(),
      pruned: z.number(),
    }),
  ),
  /** Mean probability that the next token is a stop word or punctuation. */
  stopWords: z.object({ original: z.number(), pruned: z.number(), vocabulary: z.number().int() }),
  /** Mean entropy of the next-token distribution, nats. */
  entropy: z.object({ original: z.number(), pruned: z.number() }),
  /** Mean KL(original ‖ pruned), nats. */
  kl: finiteOrNull,
});

type Report = z.output<typeof tokenProbabilitiesReport>;

type Token = Report["tokens"][number];

const SHOWN = 20;
const LEGEND = [
  { role: "original", name: "original" },
  { role: "removed", name: "without super weights" },
] as const;

/** Figure 5 of the paper: which next tokens gain and which lose without the super weights. */
export function tokenProbabilityFigures(report: Report, palette: Palette): Figure[] {
  return [likeliest(report, palette), movers(report, palette), stopWordShare(report, palette)];
}

function likeliest(report: Report, palette: Palette): Figure {
  const shown = [...report.tokens]
    .sort((a, b) => Math.max(b.original, b.pruned) - Math.max(a.original, a.pruned))
    .slice(0, SHOWN)
    .sort((a, b) => Number(b.stopWord) - Number(a.stopWord) || b.original - a.original);
  return {
    id: "token-probabilities-likeliest",
    title: `The ${Math.min(SHOWN, shown.length)} likeliest next tokens`,
    caption: `Figure 5 of the paper: mean probability of each token as the next one, with and without the super weights; stop words first, a dot in a token is a space.`,
    summary: `Mean next-token probability with and without the super weights: ${shown.slice(0, 5).map(wordsOf).join("; ")}.`,
    ...dotPlot(
      {
        rows: shown.map(tokenRow),
        x: magnitudeScale(shown.flatMap(({ original, pruned }) => [original, pruned].filter((p) => p > 0))),
        xLabel: "mean probability",
        legend: LEGEND,
      },
      palette,
    ),
    table: tokenTable(report.tokens),
  };
}

function tokenRow(token: Token): DotRow {
  const dot = (role: "original" | "removed", value: number): DotRow["dots"][number] => ({
    role,
    value: value > 0 ? value : null,
    text: "",
    words: wordsOf(token),
  });
  return {
    label: tokenText(token.text) + (token.stopWord ? "  (stop word)" : ""),
    joined: true,
    dots: [dot("original", token.original), dot("removed", token.pruned)],
  };
}

function movers(report: Report, palette: Palette): Figure {
  const gained = moved(report, 1);
  const lost = moved(report, -1);
  const shown = [...gained, ...lost];
  return {
    id: "token-probabilities-movers",
    title: "The tokens that gain and lose most",
    caption:
      "The mean probabilities that change most without the super weights: first those that gain, then those that lose, the largest change first in both. Beside each stands the factor.",
    summary: `Largest gains: ${gained.slice(0, 3).map(wordsOf).join(", ") || "none"}. Largest losses: ${lost.slice(0, 3).map(wordsOf).join(", ") || "none"}.`,
    ...dotPlot(
      {
        rows: shown.map(moverRow),
        x: magnitudeScale(shown.flatMap(({ original, pruned }) => [original, pruned].filter((p) => p > 0))),
        xLabel: "mean probability",
        legend: LEGEND,
      },
      palette,
    ),
    table: tokenTable(shown),
  };
}

/** The tokens whose mean probability changes most in one direction, 1 = up, the largest change first. */
function moved({ tokens }: Report, direction: 1 | -1): Token[] {
  const change = ({ original, pruned }: Token): number => direction * (pruned - original);
  return tokens
    .filter((token) => change(token) > 0)
    .sort((a, b) => change(b) - change(a))
    .slice(0, MOST_MOVED);
}

/** As in the chart of the likeliest, with the factor right of both marks. */
function moverRow(token: Token): DotRow {
  const { original, pruned } = token;
  const row = tokenRow(token);
  const right = pruned > original ? "removed" : "original";
  const text = original > 0 && pruned > 0 ? factor(pruned / original) : "";
  return { ...row, dots: row.dots.map((dot) => (dot.role === right ? { ...dot, text } : dot)) };
}

function stopWordShare({ stopWords }: Report, palette: Palette): Figure {
  const { original, pruned } = stopWords;
  const scale: Scale = {
    log: false,
    range: [0, 1],
    layout: { ...linearAxis([original, pruned]), tickformat: ".0%" },
  };
  return {
    id: "token-probabilities-stop-words",
    title: "Probability that the next token is a stop word or punctuation",
    caption: `The share behind Figure 5 of the paper, over ${stopWords.vocabulary.toLocaleString("en-US")} tokens that are stop words or punctuation.`,
    summary: `Stop words and punctuation take ${percent(original)} of the probability in the original and ${percent(pruned)} without the super weights.`,
    ...dotPlot(
      {
        rows: [
          {
            label: "original",
            dots: [
              {
                role: "original",
                value: original,
                text: percent(original),
                words: `original: ${percent(original)}`,
              },
            ],
          },
          {
            label: "without super weights",
            dots: [
              {
                role: "removed",
                value: pruned,
                text: percent(pruned),
                words: `without super weights: ${percent(pruned)}`,
              },
            ],
          },
        ],
        x: scale,
        xLabel: "mean probability",
        reference: original,
      },
      palette,
    ),
    table: {
      columns: [
        { title: "State", format: "text" },
        { title: "Stop words and punctuation", format: "percent", decimals: 2 },
      ],
      rows: [
        ["original", original],
        ["without super weights", pruned],
      ],
    },
  };
}

function tokenTable(tokens: readonly Token[]): FigureTable {
  return {
    columns: [
      { title: "Token", format: "text" },
      { title: "Id", format: "text" },
      { title: "Stop word", format: "text" },
      { title: "Original", format: "probability" },
      { title: "Without super weights", format: "probability" },
      { title: "Factor", format: "factor" },
    ],
    rows: tokens.map(({ id, text, stopWord, original, pruned }) => [
      tokenText(text),
      String(id),
      stopWord ? "yes" : "",
      original,
      pruned,
      original > 0 ? pruned / original : null,
    ]),
  };
}

function wordsOf({ text, original, pruned }: Token): string {
  return `“${tokenText(text)}”: ${probabilityText(original)} → ${probabilityText(pruned)}`;
}
