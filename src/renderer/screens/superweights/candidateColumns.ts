import type { Candidate } from "#shared/detection.ts";
import {
  activation,
  count,
  divergence,
  factor,
  percent,
  perplexity,
  place,
  sigmas,
  signed,
} from "../../format.ts";
import type { Column } from "../../parts/table.ts";

/** Found, as against listed with the reason why not. */
export function isFound(one: Candidate): boolean {
  return one.verdict === "super-weight";
}

/** Identity of a row: one weight can be judged in more than one pass. */
export function candidateKey(one: Candidate): string {
  return `${one.tensor}/${one.row}/${one.column}/${one.pass}/${one.verdict}`;
}

const EVIDENCE: readonly Column<Candidate>[] = [
  { id: "tensor", header: "Tensor", mono: true, text: (one) => one.tensor, sort: (one) => one.tensor },
  {
    id: "place",
    header: "[row, column]",
    mono: true,
    width: "104px",
    text: (one) => place(one.row, one.column),
  },
  {
    id: "value",
    header: "Value",
    numeric: true,
    mono: true,
    width: "76px",
    text: (one) => signed(one.value, 4),
    sort: (one) => Math.abs(one.value),
  },
  {
    id: "rank",
    header: "Rank by |w|",
    numeric: true,
    low: true,
    width: "84px",
    text: (one) => count(one.rank),
    sort: (one) => -one.rank,
  },
  {
    id: "sigma",
    header: "σ",
    title: "|w| in standard deviations of its tensor",
    numeric: true,
    low: true,
    width: "52px",
    text: (one) => sigmas(one.sigma),
    sort: (one) => one.sigma,
  },
  {
    id: "input",
    header: "Input x",
    numeric: true,
    width: "68px",
    text: (one) => activation(one.inputActivation),
    sort: (one) => Math.abs(one.inputActivation),
  },
  {
    id: "output",
    header: "Output y",
    numeric: true,
    width: "72px",
    text: (one) => activation(one.outputActivation),
    sort: (one) => Math.abs(one.outputActivation),
  },
  {
    id: "contribution",
    header: "w · x",
    numeric: true,
    low: true,
    width: "72px",
    text: (one) => activation(one.contribution),
    sort: (one) => Math.abs(one.contribution),
  },
  {
    id: "share",
    header: "Explained",
    title: "w · x / y",
    numeric: true,
    width: "80px",
    text: (one) => percent(one.share),
    sort: (one) => one.share,
  },
  {
    id: "pass",
    header: "Pass",
    numeric: true,
    low: true,
    width: "48px",
    text: (one) => (isFound(one) ? String(one.pass) : "–"),
    sort: (one) => one.pass,
  },
];

/** Shown once the effect of the found weights was measured. */
const EFFECT: readonly Column<Candidate>[] = [
  {
    id: "without",
    header: "Perplexity without",
    numeric: true,
    width: "148px",
    text: withoutText,
    sort: (one) => one.effect?.perplexity ?? null,
  },
  {
    id: "kl",
    header: "KL without",
    numeric: true,
    low: true,
    width: "84px",
    text: (one) => (one.effect ? divergence(one.effect.kl) : "–"),
    sort: (one) => one.effect?.kl ?? null,
  },
];

/** The share as a bar, where there is room for it. */
const BAR: Column<Candidate> = { id: "bar", header: "w · x / y", low: true, width: "96px", text: () => "" };

const VERDICT: Column<Candidate> = {
  id: "verdict",
  header: "Verdict",
  width: "140px",
  text: (one) => one.reason,
};

/** Columns of the table of found weights and candidates. */
export function candidateColumns(measured: boolean): readonly Column<Candidate>[] {
  return [...EVIDENCE, ...(measured ? EFFECT : [BAR]), VERDICT];
}

function withoutText(one: Candidate): string {
  if (!one.effect) return "–";
  const { perplexity: now, baseline } = one.effect;
  if (now === null) return "not finite";
  return `${perplexity(now)} (${factor(baseline === null ? null : now / baseline)})`;
}
