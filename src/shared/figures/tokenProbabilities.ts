import { factor, percent } from "../format.ts";
import type { LabReportOf } from "../lab.ts";
import { magnitudeScale, type Scale } from "./axes.ts";
import { dotPlot, type DotRow } from "./dotPlot.ts";
import type { Figure } from "./figure.ts";
import type { Palette } from "./palette.ts";
import { probabilityText, type FigureTable } from "./table.ts";
import { linearAxis } from "./template.ts";
import { tokenText } from "./words.ts";

type Report = LabReportOf<"token-probabilities">;
type Token = Report["tokens"][number];

const SHOWN = 20;
const MOVERS = 8;
const LEGEND = [
  { role: "original", name: "original" },
  { role: "removed", name: "without super weights" },
] as const;
const PAPER =
  "In the paper, over 500 prompts, stop words gain two- to fivefold without the super weights and other words fall two- to threefold or more.";

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
    caption: `Figure 5 of the paper: mean probability of each token as the next one, with and without the super weights; stop words first, a dot in a token is a space. ${PAPER}`,
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
  const moved = report.tokens
    .filter(({ original, pruned }) => original > 0 && pruned > 0)
    .map((token) => ({ ...token, ratio: token.pruned / token.original }))
    .sort((a, b) => b.ratio - a.ratio);
  const gained = moved.filter(({ ratio }) => ratio > 1).slice(0, MOVERS);
  const lost = moved.filter(({ ratio }) => ratio < 1).slice(-MOVERS);
  const shown = [...gained, ...lost];
  return {
    id: "token-probabilities-movers",
    title: "The tokens that gain and lose most",
    caption: `Figure 5 of the paper as factors: probability without the super weights over the original's, of the tokens on record. Right of the dotted line = gains. ${PAPER}`,
    summary: `Largest gains: ${gained.slice(0, 3).map(moverWords).join(", ") || "none"}. Largest losses: ${lost.slice(-3).map(moverWords).join(", ") || "none"}.`,
    ...dotPlot(
      {
        rows: shown.map((token) => ({
          label: tokenText(token.text) + (token.stopWord ? "  (stop word)" : ""),
          dots: [{ role: "removed", value: token.ratio, text: factor(token.ratio), words: wordsOf(token) }],
        })),
        x: magnitudeScale([...shown.map(({ ratio }) => ratio), 1]),
        xLabel: "factor of the probability",
        reference: 1,
      },
      palette,
    ),
    table: tokenTable(shown),
  };
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

function moverWords({ text, ratio }: { text: string; ratio: number }): string {
  return `“${tokenText(text)}” ${factor(ratio)}`;
}
