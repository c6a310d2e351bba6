import { SPACE } from "#engine/files/pythonText.ts";

/** A row of the published WikiText data sets stands for this line of the file where it is empty. */
const BLANK_LINE = " \n";

/**
 * WikiText's articles, as the data set that lm-eval reads has them (EleutherAI/wikitext_document_level): a line `= Title =`
 * begins one, deeper headings do not. Lines that come a row each are put together first; a row of several lines is a text of
 * its own.
 */
export function wikitextArticles(rows: readonly string[]): string[] {
  return rows.every(isLine)
    ? articlesOf(rows.map(asLine).join(""))
    : rows.filter((row) => row.trim() !== "").flatMap(articlesOf);
}

function isLine(row: string): boolean {
  const end = row.indexOf("\n");
  return end === -1 || end === row.length - 1;
}

function asLine(row: string): string {
  if (row === "") return BLANK_LINE;
  return row.endsWith("\n") ? row : `${row}\n`;
}

function articlesOf(text: string): string[] {
  const articles: string[][] = [[]];
  for (const line of text.split("\n")) {
    if (isTitle(line)) articles.push([]);
    articles[articles.length - 1].push(line);
  }
  return articles.map((lines) => lines.join("\n")).filter((article) => article.trim() !== "");
}

/** `= Title =`, but not `= = Section = =`. */
function isTitle(line: string): boolean {
  const heading = line.replaceAll("= = =", "===").replaceAll("= =", "==").trim();
  return heading.startsWith("= ") && heading.endsWith(" =");
}

const S = `[${SPACE}]*`;

/** What lm-eval's wikitext task undoes of WikiText's tokens, in its order (lm_eval/tasks/wikitext/preprocess_wikitext.py). */
const RULES: readonly (readonly [find: string | RegExp, replace: string])[] = [
  ["s '", "s'"],
  [/\/' [0-9]\//g, "/'[0-9]/"],
  [" @-@ ", "-"],
  [" @,@ ", ","],
  [" @.@ ", "."],
  ...[":", ";", ".", "!", "?", ","].map((mark) => [` ${mark} `, `${mark} `] as const),
  [new RegExp(`\\(${S}([^)]*?)${S}\\)`, "g"), "($1)"],
  [new RegExp(`\\[${S}([^\\]]*?)${S}\\]`, "g"), "[$1]"],
  [new RegExp(`\\{${S}([^}]*?)${S}\\}`, "g"), "{$1}"],
  [new RegExp(`"${S}([^"]*?)${S}"`, "g"), '"$1"'],
  [new RegExp(`'${S}([^']*?)${S}'`, "g"), "'$1'"],
  ["= = = =", "===="],
  ["= = =", "==="],
  ["= =", "=="],
  [" ° ", "°"],
  [" \n", "\n"],
  ["\n ", "\n"],
  [" N ", " 1 "],
  [" 's", "'s"],
];

/** WikiText as people write, as lm-eval feeds it to a model. */
export function detokenizeWikitext(article: string): string {
  return RULES.reduce((text, [find, replace]) => text.replaceAll(find, replace), article);
}
