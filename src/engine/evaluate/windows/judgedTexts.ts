import { joinsOf, USUAL_JOIN, type Judge, type RowJoin, type WindowConvention } from "#shared/plan.ts";
import { KeystoneError } from "#shared/errors.ts";
import { countBytes, countWords } from "./textSize.ts";
import { detokenizeWikitext, wikitextArticles } from "./wikitext.ts";

/** One text that is tokenised whole. */
export interface JudgedText {
  readonly text: string;
  /** Of what was published, which a preparation may have changed. */
  readonly words: number;
  readonly bytes: number;
}

/** The texts that a convention makes of a file's rows. */
export interface JudgedTexts {
  readonly texts: readonly JudgedText[];
  readonly join: RowJoin;
  /** Rows that hold text. */
  readonly rows: number;
}

/** What stands between rows that are joined to one document. */
const SEPARATORS = { "blank-line": "\n\n", concat: "" } as const;

/**
 * Joins or parts the rows of a text as a convention asks. Rows without text are documents nowhere, but count where rows are joined.
 * @throws KeystoneError usage/join
 */
export function judgedTexts(rows: readonly string[], judge: Pick<Judge, "windows" | "join">): JudgedTexts {
  const join = judge.join ?? USUAL_JOIN[judge.windows];
  const holding = rows.filter((row) => row.trim() !== "");
  const made = (texts: readonly JudgedText[]): JudgedTexts => ({ texts, join, rows: holding.length });
  if (!joinsOf(judge.windows).includes(join)) throw oneTextNeeded(judge.windows, join);
  if (join === "blank-line" || join === "concat") return made([asIs(rows.join(SEPARATORS[join]))]);
  if (join === "rows") return made(holding.map(asIs));
  return made(
    wikitextArticles(rows).map((article) => ({ ...asIs(article), text: detokenizeWikitext(article) })),
  );
}

function asIs(text: string): JudgedText {
  return { text, words: countWords(text), bytes: countBytes(text) };
}

function oneTextNeeded(windows: WindowConvention, join: RowJoin): KeystoneError {
  return new KeystoneError(
    "usage/join",
    `${windows === "gptq" ? "GPTQ-style" : "llama.cpp's"} windows are cut from one text, but ${join === "rows" ? "each row was to be a document" : "articles were asked for"}.`,
    'Join the rows with "blank-line" or "concat", or choose bos, rolling or lm-eval windows.',
    { windows, join },
  );
}
