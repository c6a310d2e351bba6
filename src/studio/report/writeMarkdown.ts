import { tableText, type FigureTable } from "#shared/figures/index.ts";
import type { Block, Report, Section } from "./document.ts";

/** The report as Markdown (GitHub's): the same words and tables; charts are their captions, words and values. */
export function writeMarkdown({ title, subtitle, sections }: Report): string {
  const findings = sections.flatMap(({ label, finding }) =>
    finding === null ? [] : [`- **${escapeMarkdown(label)}:** ${escapeMarkdown(finding)}`],
  );
  return `${[
    `# ${escapeMarkdown(title)}`,
    escapeMarkdown(subtitle),
    ...(findings.length > 0 ? [findings.join("\n")] : []),
    ...sections.flatMap(sectionText),
  ].join("\n\n")}\n`;
}

function sectionText({ label, finding, blocks }: Section): string[] {
  return [
    `## ${escapeMarkdown(label)}`,
    ...(finding === null ? [] : [`**${escapeMarkdown(finding)}**`]),
    ...blocks.flatMap(blockText),
  ];
}

function blockText(block: Block): string[] {
  switch (block.kind) {
    case "heading":
      return [`### ${escapeMarkdown(block.text)}`];
    case "text":
      return [escapeMarkdown(block.text)];
    case "list":
      return [block.items.map((item) => `- ${escapeMarkdown(item)}`).join("\n")];
    case "facts":
      return [
        block.facts.map(([name, value]) => `- ${escapeMarkdown(name)}: ${escapeMarkdown(value)}`).join("\n"),
      ];
    case "table":
      return [`**${escapeMarkdown(block.label)}**`, markdownTable(block.table)];
    case "figure":
      return [
        `### ${escapeMarkdown(block.figure.title)}`,
        escapeMarkdown(block.figure.caption),
        escapeMarkdown(block.figure.summary),
        ...(block.values ? [markdownTable(block.figure.table)] : []),
      ];
    case "code":
      return [`### ${escapeMarkdown(block.label)}`, fenced(block.text)];
  }
}

function markdownTable(table: FigureTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  const { columns } = table;
  const rule = columns.map(({ format }) => (format === "text" ? "---" : "---:"));
  return [
    line(columns.map(({ title }) => title)),
    `| ${rule.join(" | ")} |`,
    ...tableText(table).map(line),
  ].join("\n");
}

/** Text that means itself: no markup, no HTML, no link, no cell's end; line breaks become spaces. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s*[\r\n\u2028\u2029]+\s*/g, " ")
    .replace(/[\\`*_[\]{}|#~]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("://", ":&#47;&#47;")
    .replace(/^(\d*)([-+.)])(?=\s)/, "$1\\$2");
}

/** A code block whose fence is longer than any run of backticks in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}sh\n${text.replace(/\n$/, "")}\n${fence}`;
}
