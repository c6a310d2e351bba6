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
const SUMMARY_PAGE = "formats.md";
const HEAD = [
  "peer",
  "with",
  "computing in",
  "exports",
  "largest logit difference (bound)",
  "largest perplexity difference (bound)",
];

/** Puts a peer's report between its marks on its page of docs/, and its lines into the table of all peers. */
export function keepReport(name: string, peer: Peer, report: PeerReport): void {
  replaceBlock(
    peer.section.split("#")[0],
    `peer ${name}`,
    () => `${versionsText(report.versions)}.\n\n${report.text}`,
  );
  replaceBlock(SUMMARY_PAGE, "peers", (before) => withRows(before, summaryRows(peer, report)));
}

/** The text between `<!-- name -->` and `<!-- end of name -->` of a page, made anew. */
function replaceBlock(page: string, name: string, make: (before: string) => string): void {
  const path = join(DOCS, page);
  const text = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (!text.includes(begin) || to < from) throw new Error(`docs/${page} has no place for ${begin}`);
  writeFileSync(path, `${text.slice(0, from)}\n\n${make(text.slice(from, to).trim())}\n\n${text.slice(to)}`);
}

/** The table of all peers, in which one peer's rows are replaced. */
export function withRows(table: string, rows: readonly string[][]): string {
  const [peer] = rows[0];
  const others = table
    .split("\n")
    .slice(2)
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | "))
    .filter(([first]) => first !== peer);
  const all = [...others, ...rows];
  const order = [...new Set(all.map(([first]) => first))].sort();
  return markdownTable(
    HEAD,
    order.flatMap((first) => all.filter(([each]) => each === first)),
  );
}

/** One row for each arithmetic that the peer computed in. */
export function summaryRows(
  { title, section }: Pick<Peer, "title" | "section">,
  report: PeerReport,
): string[][] {
  const link = section.startsWith(`${SUMMARY_PAGE}#`) ? section.slice(SUMMARY_PAGE.length) : section;
  return [...Map.groupBy(report.checks, ({ arithmetic }) => arithmetic)].map(([arithmetic, checks]) => [
    `[${title}](${link})`,
    versionsText(report.versions),
    arithmetic,
    String(checks.length),
    worst(
      checks,
      ({ logits }) => logits,
      ({ logitTolerance }) => logitTolerance,
    ),
    worst(checks, perplexityError, ({ perplexityTolerance }) => perplexityTolerance),
  ]);
}

/** The largest of what was found, as a share of its bound, and the bound. */
function worst(
  checks: readonly Check[],
  found: (check: Check) => number,
  bound: (check: Check) => number,
): string {
  const most = checks.reduce((a, b) => (found(b) / bound(b) > found(a) / bound(a) ? b : a));
  return `${found(most).toExponential(1)} (${bound(most)})`;
}
