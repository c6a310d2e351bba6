import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  markdownTable,
  perplexityError,
  versionsText,
  type Check,
  type Peer,
  type PeerReport,
} from "./peer.ts";

const DOCS = join(import.meta.dirname, "..", "..", "docs");
const SUMMARY_PAGE = "peers.md";
const HEAD = [
  "peer",
  "with",
  "computing in (exports)",
  "logit difference nearest its bound (bound)",
  "perplexity difference nearest its bound (bound)",
];

/** Puts a peer's report between its marks on its page of docs/, and its lines into the table of all peers. */
export function keepReport(name: string, peer: Peer, report: PeerReport): void {
  replaceBlock(
    peer.section.split("#")[0],
    `peer ${name}`,
    () => `${versionsText(report.versions)}.\n\n${report.text}`,
  );
  replaceBlock(SUMMARY_PAGE, "peers", (before) => withRow(before, summaryRow(peer, report)));
}

/** The text between `<!-- name -->` and `<!-- end of name -->` of a page, made anew. */
function replaceBlock(page: string, name: string, make: (before: string) => string): void {
  const path = join(DOCS, page);
  const text = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (!text.includes(begin) || to < from) throw new Error(`docs/${page} cannot store ${begin}`);
  writeFileSync(path, `${text.slice(0, from)}\n\n${make(text.slice(from, to).trim())}\n\n${text.slice(to)}`);
}

/** The table of all peers, in which one peer's row is put in or replaced. */
export function withRow(table: string, row: readonly string[]): string {
  const others = table
    .split("\n")
    .slice(2)
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "))
    .filter(([peer]) => peer !== row[0]);
  return markdownTable(
    HEAD,
    [...others, row].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A peer with its versions, and a line in every cell for each arithmetic that it computed in. */
export function summaryRow(
  { title, section }: Pick<Peer, "title" | "section">,
  report: PeerReport,
): string[] {
  const link = section.startsWith(`${SUMMARY_PAGE}#`) ? section.slice(SUMMARY_PAGE.length) : section;
  const groups = [...Map.groupBy(report.checks, ({ arithmetic }) => arithmetic)];
  const lines = (of: (checks: readonly Check[], arithmetic: string) => string) =>
    groups.map(([arithmetic, checks]) => of(checks, arithmetic)).join("<br>");
  return [
    `[${title}](${link})`,
    versionsText(report.versions),
    lines((checks, arithmetic) => `${arithmetic} (${checks.length})`),
    lines((checks) =>
      nearest(
        checks,
        ({ logits }) => logits,
        ({ logitTolerance }) => logitTolerance,
      ),
    ),
    lines((checks) => nearest(checks, perplexityError, ({ perplexityTolerance }) => perplexityTolerance)),
  ];
}

/** What comes nearest to its bound, and the bound; a dash where nothing was measured. */
function nearest(
  checks: readonly Check[],
  found: (check: Check) => number | null,
  bound: (check: Check) => number | null,
): string {
  const measured = checks.flatMap((check) => {
    const [value, limit] = [found(check), bound(check)];
    return value === null || limit === null ? [] : [{ value, limit }];
  });
  if (measured.length === 0) return "–";
  const most = measured.reduce((a, b) => (b.value / b.limit > a.value / a.limit ? b : a));
  return `${most.value.toExponential(1)} (${Number(most.limit.toPrecision(3))})`;
}
