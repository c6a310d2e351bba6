import type { Candidate, Change } from "#shared/detection.ts";
import { klCell, laterWords, verdictWords, type LargeWeight } from "#shared/figures/detectionWords.ts";
import { activation, number, percent, perplexity, place, signed } from "../../format.ts";
import type { Column } from "../../parts/table.ts";

/** A change's KL as a number to sort by: what is not finite is worst. */
function klKey(change: Pick<Change, "kl"> | null | undefined): number | null {
  return change ? (change.kl ?? Infinity) : null;
}

function klColumn(
  id: string,
  header: string,
  title: string,
  of: (one: Candidate) => Pick<Change, "kl"> | null | undefined,
  low = false,
): Column<Candidate> {
  return {
    id,
    header,
    title,
    numeric: true,
    low,
    width: "84px",
    text: (one) => klCell(of(one)),
    sort: (one) => klKey(of(one)),
  };
}

const PLACE: readonly Column<Candidate>[] = [
  {
    id: "layer",
    header: "Layer",
    numeric: true,
    width: "68px",
    text: (one) => String(one.layer),
    sort: (one) => one.layer,
  },
  {
    id: "place",
    header: "[row, column]",
    mono: true,
    width: "104px",
    text: (one) => place(one.row, one.column, one.expert),
  },
  { id: "verdict", header: "Verdict", width: "124px", text: (one) => verdictWords(one) },
];

const EFFECT: readonly Column<Candidate>[] = [
  klColumn("kl", "KL zeroed", "KL with the weight zeroed, nats per token", (one) => one.effect),
  klColumn("half", "KL at ½", "KL with the weight at half its value", (one) => one.effect?.half),
  klColumn("column", "Column", "KL with its whole column zeroed", (one) => one.effect?.column),
  klColumn("row", "Row", "KL with its whole row zeroed", (one) => one.effect?.row),
  klColumn("null", "Null", "The largest KL of the other weights that were tried", (one) => one.effect?.null),
  {
    id: "without",
    header: "Perplexity",
    title: "Perplexity with the weight zeroed",
    numeric: true,
    low: true,
    width: "116px",
    text: withoutText,
    sort: (one) => (one.effect ? (one.effect.perplexity ?? Infinity) : null),
  },
];

const EVIDENCE: readonly Column<Candidate>[] = [
  {
    id: "times",
    header: "× median",
    title: "Output as a multiple of the median layer maximum",
    numeric: true,
    width: "72px",
    text: (one) => number(one.timesMedian, 1),
    sort: (one) => one.timesMedian,
  },
  {
    id: "share",
    header: "Share",
    title: "Part of the output that this one product gives, w · x / y",
    numeric: true,
    width: "72px",
    text: (one) => percent(one.share),
    sort: (one) => one.share,
  },
  {
    id: "value",
    header: "Value",
    numeric: true,
    mono: true,
    low: true,
    width: "72px",
    text: (one) => signed(one.value, 4),
    sort: (one) => Math.abs(one.value),
  },
];

const TENSOR: Column<Candidate> = {
  id: "tensor",
  header: "Tensor",
  mono: true,
  low: true,
  text: (one) => one.tensor,
  sort: (one) => one.tensor,
};

/** Seen in the unmodified model, or only with other weights zeroed. */
const SEEN: Column<Candidate> = {
  id: "seen",
  header: "Seen",
  width: "72px",
  text: (one) => laterWords(one) || "at once",
  sort: (one) => one.pass,
};

/** Columns of the candidates: place and verdict, effects once some were measured, then the evidence. */
export function candidateColumns(measured: boolean): readonly Column<Candidate>[] {
  return [...PLACE, ...(measured ? EFFECT : []), ...EVIDENCE, SEEN, TENSOR];
}

function withoutText({ effect }: Candidate): string {
  if (!effect) return "–";
  return effect.perplexity === null ? "not finite" : perplexity(effect.perplexity);
}

/** Columns of what is merely large; `clip` says whether it may be clipped. */
export function largeColumns(clip: (one: LargeWeight) => string): readonly Column<LargeWeight>[] {
  return [
    {
      id: "layer",
      header: "Layer",
      numeric: true,
      width: "68px",
      text: (one) => (one.layer === null ? "–" : String(one.layer)),
      sort: (one) => one.layer,
    },
    {
      id: "place",
      header: "[row, column]",
      mono: true,
      width: "104px",
      text: (one) => place(one.row, one.column),
    },
    { id: "what", header: "What is large", width: "124px", text: (one) => one.what, sort: (one) => one.what },
    {
      id: "kl",
      header: "KL zeroed",
      title: "KL with the weight zeroed, nats per token",
      numeric: true,
      width: "84px",
      text: (one) => klCell(one.kl === undefined ? null : { kl: one.kl }),
      sort: (one) => (one.kl === undefined ? null : (one.kl ?? Infinity)),
    },
    { id: "clip", header: "Clipping", width: "120px", text: clip },
    {
      id: "output",
      header: "Output y",
      numeric: true,
      low: true,
      width: "84px",
      text: (one) => activation(one.candidate?.outputActivation),
      sort: (one) => (one.candidate ? Math.abs(one.candidate.outputActivation) : null),
    },
    {
      id: "times",
      header: "× median",
      title: "Output as a multiple of the median layer maximum",
      numeric: true,
      width: "72px",
      text: (one) => number(one.candidate?.timesMedian, 1),
      sort: (one) => one.candidate?.timesMedian ?? null,
    },
    {
      id: "value",
      header: "Value",
      numeric: true,
      mono: true,
      width: "72px",
      text: (one) => signed(one.value, 4),
      sort: (one) => Math.abs(one.value),
    },
    {
      id: "seen",
      header: "Seen",
      width: "72px",
      text: (one) => (one.candidate ? laterWords(one.candidate) || "at once" : "–"),
    },
    { id: "tensor", header: "Tensor", mono: true, text: (one) => one.tensor, sort: (one) => one.tensor },
  ];
}
