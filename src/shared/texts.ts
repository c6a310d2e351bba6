/** What the text that ships with the program is called. */
export const OWN_TEXT_NAME = "Keystone’s own text";

/** Endings of texts that are one piece: plain, and as WikiText is published. */
export const PLAIN_TEXT_ENDINGS: readonly string[] = ["txt", "raw", "tokens"];
/** Endings of texts that come as rows. */
export const ROW_TEXT_ENDINGS: readonly string[] = ["jsonl", "ndjson", "json", "csv", "parquet"];
/** Every kind of file that is read as a text. */
export const TEXT_ENDINGS: readonly string[] = [...PLAIN_TEXT_ENDINGS, ...ROW_TEXT_ENDINGS];

/** Columns whose text is taken, in this order; the second is that of WikiText's articles. */
export const TEXT_COLUMNS: readonly string[] = ["text", "page"];

/** The text of a row of named columns; null where it has none. */
export function textOf(row: unknown): string | null {
  if (typeof row !== "object" || row === null) return null;
  const values = Object.entries(row);
  for (const column of TEXT_COLUMNS) {
    const value: unknown = values.find(([name]) => name === column)?.[1];
    if (typeof value === "string") return value;
  }
  return null;
}

/** The ending of a file's name in small letters, without its dot; empty where it has none. */
export function endingOf(name: string): string {
  return /\.([^.\\/]+)$/.exec(name)?.[1].toLowerCase() ?? "";
}
