import type {
  Candidate,
  Change,
  ColumnGroup,
  DetectReport,
  PairEffect,
  PublishedResult,
} from "../detection.ts";
import type { ScanReport } from "../scan.ts";
import {
  coordinateWords,
  laterWords,
  measuredThere,
  PAIR_WORDS,
  publishedMeasure,
  publishedPlace,
  VERDICT_WORDS,
} from "./detectionWords.ts";
import { place } from "../format.ts";
import { NOT_FINITE, type Cell, type FigureTable } from "./table.ts";

/** A change's KL: missing where nothing was measured, words where it left every scale. */
export function klOf(change: Pick<Change, "kl"> | null | undefined): Cell {
  return change ? (change.kl ?? NOT_FINITE) : null;
}

/** Candidates with verdict, effect at 0 and ½, of the whole column and row, and the null beside it. */
export function candidateTable(candidates: readonly Candidate[]): FigureTable {
  return {
    columns: [
      { title: "Layer", format: "text" },
      { title: "[row, column]", format: "text" },
      { title: "Verdict", format: "text" },
      { title: "KL zeroed", format: "divergence" },
      { title: "KL at ½", format: "divergence" },
      { title: "KL column zeroed", format: "divergence" },
      { title: "KL row zeroed", format: "divergence" },
      { title: "Null KL", format: "divergence" },
      { title: "Perplexity zeroed", format: "perplexity" },
      { title: "× median", format: "number", decimals: 1 },
      { title: "Share of the output", format: "percent" },
      { title: "Value", format: "number", decimals: 4 },
      { title: "Rank by |w|", format: "count" },
      { title: "Seen", format: "text" },
    ],
    rows: candidates.map((one) => {
      const { effect } = one;
      return [
        String(one.layer),
        place(one.row, one.column, one.expert),
        VERDICT_WORDS[one.verdict],
        klOf(effect),
        klOf(effect?.half),
        klOf(effect?.column),
        klOf(effect?.row),
        klOf(effect?.null),
        effect ? (effect.perplexity ?? NOT_FINITE) : null,
        one.timesMedian,
        one.share,
        one.value,
        one.rank,
        laterWords(one) || "in the unmodified model",
      ];
    }),
  };
}

/** Columns with their spokes: zeroed whole, the spokes together, and without the strongest. */
export function columnTable(columns: readonly ColumnGroup[]): FigureTable {
  return {
    columns: [
      { title: "Column", format: "text" },
      { title: "Rows of its weights", format: "text" },
      { title: "KL whole column zeroed", format: "divergence" },
      { title: "KL weights zeroed", format: "divergence" },
      { title: "KL without the strongest", format: "divergence" },
    ],
    rows: columns.map(({ layer, column, expert, spokes, whole, spokesTogether, rest }) => [
      `layer ${layer}, ${expert === undefined ? "" : `expert ${expert}, `}column ${column}`,
      spokes.map(([, row]) => row).join(", "),
      klOf(whole),
      klOf(spokesTogether),
      klOf(rest),
    ]),
  };
}

/** Pairs of weights: each alone, both, and what that says. */
export function pairTable(pairs: readonly PairEffect[]): FigureTable {
  return {
    columns: [
      { title: "Weight", format: "text" },
      { title: "and", format: "text" },
      { title: "KL first alone", format: "divergence" },
      { title: "KL second alone", format: "divergence" },
      { title: "KL both zeroed", format: "divergence" },
      { title: "Together", format: "text" },
    ],
    rows: pairs.map(({ first, second, alone, both, kind }) => [
      coordinateWords(first),
      coordinateWords(second),
      alone[0] ?? NOT_FINITE,
      alone[1] ?? NOT_FINITE,
      klOf(both),
      PAIR_WORDS[kind],
    ]),
  };
}

/** What others published, in their own measure, beside the KL that was measured here at the same grain. */
export function publishedTable(report: DetectReport): FigureTable {
  return {
    columns: [
      { title: "Source", format: "text" },
      { title: "Model", format: "text" },
      { title: "Place", format: "text" },
      { title: "Published measure", format: "text" },
      { title: "KL here, same grain", format: "divergence" },
      { title: "Note", format: "text" },
    ],
    rows: report.publishedResults.map((one: PublishedResult) => [
      one.source,
      one.model,
      publishedPlace(one),
      publishedMeasure(one),
      klOf(measuredThere(report, one)),
      one.note,
    ]),
  };
}

/** The weights tried for comparison: the largest of their effects is the null. */
export function otherTable({ others }: Pick<DetectReport, "others">): FigureTable {
  return {
    columns: [
      { title: "Tensor", format: "text" },
      { title: "[row, column]", format: "text" },
      { title: "Chosen", format: "text" },
      { title: "Value", format: "number", decimals: 4 },
      { title: "KL zeroed", format: "divergence" },
    ],
    rows: others.map((one) => [
      one.tensor,
      place(one.row, one.column),
      one.chosen === "largest" ? "largest |w|" : "at random",
      one.value,
      klOf(one),
    ]),
  };
}

/** A scan of the weights alone: every layer's strongest row and column, the strongest layer first. */
export function scanTable({ layers }: ScanReport): FigureTable {
  return {
    columns: [
      { title: "Layer", format: "text" },
      { title: "[row, column]", format: "text" },
      { title: "Value", format: "number", decimals: 4 },
      { title: "× median row", format: "number", decimals: 1 },
      { title: "Share of the row", format: "percent" },
      { title: "Published", format: "text" },
    ],
    rows: layers.map(({ layer, row, column, expert, value, timesMedian, share, published }) => [
      String(layer),
      place(row, column, expert),
      value,
      timesMedian,
      share,
      published ?? "–",
    ]),
  };
}
