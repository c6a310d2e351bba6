import { createHash } from "node:crypto";
import { cellText, type Figure, type FigureTable } from "#shared/figures/index.ts";
import type { Block, Report, RowMark, Section } from "./document.ts";
import { markup, Markup, scriptJson } from "./markup.ts";
import { PAGE_SCRIPT } from "./pageScript.ts";
import { STYLE } from "./style.ts";

/**
 * The report as one HTML file that needs nothing else: styles, charts, data and Plotly lie inside. A content security policy
 * lets no other script run and nothing be loaded, whatever a name in a checkpoint may hold.
 * @param plotly the bundle as the text of a script element
 */
export function writeHtml(report: Report, plotly: string): string {
  const figures = new Figures();
  const sections = report.sections.map((section) => sectionMarkup(section, figures, isOnly(report, section)));
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy([plotly, PAGE_SCRIPT])}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${report.title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<header>
<div class="brand">${WEDGE}<span>${report.subtitle}</span></div>
<h1>${report.title}</h1>
${findings(report)}
</header>
${sections}
<footer>This file holds all it shows and loads nothing. The unrounded numbers are in the element with the id “data”, as JSON.<noscript> The charts need JavaScript; their values stand beside each.</noscript></footer>
</main>
<script type="application/json" id="figures">${new Markup(scriptJson(figures.drawn))}</script>
<script type="application/json" id="data">${new Markup(scriptJson(report.data))}</script>
<script>${new Markup(plotly)}</script>
<script>${new Markup(PAGE_SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

/** What Plotly draws, in the order of the page. */
class Figures {
  readonly drawn: Pick<Figure, "traces" | "layout">[] = [];

  add({ traces, layout }: Figure): number {
    return this.drawn.push({ traces, layout }) - 1;
  }
}

/** Scripts by their hashes and nothing else; styles are Plotly's and ours. */
function policy(scripts: readonly string[]): string {
  const hashes = scripts.map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`);
  return `default-src 'none'; script-src ${hashes.join(" ")}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
}

const WEDGE = markup`<svg viewBox="0 0 14 14" aria-hidden="true"><path d="M1 2.5h12L10.4 12H3.6z" style="fill:var(--sw);stroke:var(--sw-line)"/></svg>`;

function withFindings({ sections }: Report): Section[] {
  return sections.filter(({ finding }) => finding !== null);
}

function isOnly(report: Report, section: Section): boolean {
  return section.finding !== null && withFindings(report).length === 1;
}

function findings(report: Report): Markup {
  const items = withFindings(report).map(
    ({ id, label, finding }) =>
      markup`<li><a href="#${id}"><span class="label">${label}</span><span class="said">${sentence(finding ?? "")}</span></a></li>
`,
  );
  return items.length > 0 ? markup`<ul class="findings">${items}</ul>` : markup``;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function sectionMarkup({ id, label, finding, blocks }: Section, figures: Figures, only: boolean): Markup {
  // The finding of the only section stands at the top already.
  const head =
    finding === null || only
      ? markup`<h2>${label}</h2>`
      : markup`<div class="label">${label}</div><h2>${sentence(finding)}</h2>`;
  return markup`<section id="${id}">
${head}
${blocks.map((block) => blockMarkup(block, figures, id))}
</section>
`;
}

function blockMarkup(block: Block, figures: Figures, section: string): Markup {
  switch (block.kind) {
    case "heading":
      return markup`<h3>${block.text}</h3>\n`;
    case "text":
      return markup`<p>${block.text}</p>\n`;
    case "list":
      return markup`<ul>${block.items.map((item) => markup`<li>${item}</li>`)}</ul>\n`;
    case "facts": {
      const facts = block.facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`);
      return markup`<dl class="facts">${facts}</dl>\n`;
    }
    case "table":
      return tableMarkup(block.table, block.label, block.marks);
    case "figure":
      return figureMarkup(block.figure, block.values, figures, section);
    case "code":
      return codeMarkup(block);
  }
}

function codeMarkup({ label, text, folded }: Extract<Block, { kind: "code" }>): Markup {
  const code = markup`<pre tabindex="0" aria-label="${label}">${text}</pre>\n`;
  return folded === true
    ? markup`<details><summary>${label}</summary>${code}</details>\n`
    : markup`<h3>${label}</h3>\n${code}`;
}

function figureMarkup(figure: Figure, values: boolean, figures: Figures, section: string): Markup {
  const table = values
    ? markup`<details><summary>Values</summary>${tableMarkup(figure.table, figure.title)}</details>`
    : markup``;
  return markup`<figure id="${section}-${figure.id}">
<figcaption><b>${figure.title}</b><span>${figure.caption}</span></figcaption>
<div class="chart" data-figure="${figures.add(figure)}" role="img" aria-label="${figure.summary}" style="height:${figure.height}px"></div>
${table}
</figure>
`;
}

/** Texts longer than this may wrap; shorter ones keep a line of their own. */
const LONG_TEXT = 28;

function tableMarkup(table: FigureTable, label: string, marks: readonly (RowMark | null)[] = []): Markup {
  const { columns, rows } = table;
  const kinds = columns.map(({ format }, i) => {
    if (format !== "text") return "n";
    return rows.some((row) => String(row[i] ?? "").length > LONG_TEXT) ? "w" : "";
  });
  const head = columns.map(({ title }, i) => markup`<th scope="col" class="${kinds[i] ?? ""}">${title}</th>`);
  const body = rows.map((row, r) => {
    const cells = columns.map(
      (column, i) => markup`<td class="${kinds[i] ?? ""}">${cellText(row[i] ?? null, column)}</td>`,
    );
    return markup`<tr class="${marks[r] ?? ""}">${cells}</tr>\n`;
  });
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>
`;
}
