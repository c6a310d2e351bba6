import type { DetectReport, ExpertsReport } from "#shared/detection.ts";
import {
  clipWords,
  columnSentence,
  judgedSentences,
  laterWords,
  maximumSentence,
  merelyLarge,
  pairSentence,
} from "#shared/figures/detectionWords.ts";
import {
  candidateTable,
  columnTable,
  otherTable,
  pairTable,
  publishedTable,
} from "#shared/figures/detectionTables.ts";
import { evidenceFigure } from "#shared/figures/evidence.ts";
import type { FigureTable, Palette } from "#shared/figures/index.ts";
import { expertsSentence, protectionWords, superExpertTable } from "#shared/figures/superExperts.ts";
import { NOT_FINITE } from "#shared/figures/table.ts";
import { place } from "#shared/format.ts";
import type { Block } from "./document.ts";

/** The search for super weights, as the window shows it: the answer and from what, both lists, what tells only together. */
export function detectionBlocks(report: DetectReport, palette: Palette): Block[] {
  const { superWeights, candidates, columns, pairs, publishedResults, others, open, judged } = report;
  const all = [...superWeights, ...candidates];
  return [
    { kind: "heading", text: "Super weights" },
    { kind: "text", text: report.finding.text },
    { kind: "text", text: judgedSentences(report) },
    { kind: "text", text: maximumSentence(report) },
    ...(open.length > 0 ? [{ kind: "list", items: open } as const] : []),
    ...(all.some(({ effect }) => effect)
      ? [
          {
            kind: "figure",
            figure: evidenceFigure({ candidates: all, judged }, palette),
            values: false,
          } as const,
        ]
      : []),
    ...tableBlocks(
      judged === null ? "What the evidence proposes" : "What the model can't live without",
      candidateTable(superWeights),
    ),
    ...tableBlocks("Large, but not needed", largeTable(report)),
    ...tableBlocks("Weights that share a column", columnTable(columns), columns.map(columnSentence)),
    ...tableBlocks("Pairs", pairTable(pairs), pairs.map(pairSentence)),
    ...(publishedResults.length > 0
      ? tableBlocks("Published results beside what was measured here", publishedTable(report))
      : []),
    ...(report.experts ? expertBlocks(report.experts) : []),
    ...tableBlocks("Weights tried for comparison", otherTable({ others })),
  ];
}

function expertBlocks(experts: ExpertsReport): Block[] {
  const protection = protectionWords(experts);
  return [
    { kind: "heading", text: "Super experts" },
    { kind: "text", text: expertsSentence(experts) },
    ...(protection === null
      ? []
      : [
          { kind: "table", label: "Super experts", table: superExpertTable(experts) } as const,
          { kind: "text", text: protection } as const,
        ]),
  ];
}

function tableBlocks(label: string, table: FigureTable, sentences: readonly string[] = []): Block[] {
  if (table.rows.length === 0) return [];
  return [
    { kind: "heading", text: label },
    { kind: "table", label, table },
    ...(sentences.length > 0 ? [{ kind: "list", items: sentences } as const] : []),
  ];
}

/** What the model does without: where it lies, what is large there, what its loss costs. */
function largeTable(report: DetectReport): FigureTable {
  return {
    columns: [
      { title: "Tensor", format: "text" },
      { title: "[row, column]", format: "text" },
      { title: "What is large", format: "text" },
      { title: "KL zeroed", format: "divergence" },
      { title: "Clipping", format: "text" },
      { title: "Output", format: "number", decimals: 1 },
      { title: "Value", format: "number", decimals: 4 },
      { title: "Seen", format: "text" },
    ],
    rows: merelyLarge(report).map((one) => [
      one.tensor,
      place(one.row, one.column),
      one.what,
      one.kl === undefined ? null : (one.kl ?? NOT_FINITE),
      clipWords(one, report.judged, report.options.nullFactor),
      one.candidate?.outputActivation ?? null,
      one.value,
      one.candidate ? laterWords(one.candidate) || "in the unmodified model" : null,
    ]),
  };
}
