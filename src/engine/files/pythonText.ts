/*
 * The prompts of lm-evaluation-harness are made by Python's string methods. Where JavaScript's differ, these do as Python's.
 */

/** Python's white space, as the inside of a character class. JavaScript's \s differs: U+FEFF is in, U+001C … U+001F and U+0085 are out. */
export const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${SPACE}]+`);
const SPACE_CHARACTER = new RegExp(`[${SPACE}]`);

/** `str.lstrip()`. */
export function stripStart(text: string): string {
  return text.replace(LEADING, "");
}

/** `str.rstrip()`. */
export function stripEnd(text: string): string {
  return text.slice(0, text.length - trailingSpace(text).length);
}

/** `str.strip()`. */
export function strip(text: string): string {
  return stripEnd(stripStart(text));
}

/** White space at the end, found from the end: a regular expression would try every run of spaces in a long text. */
export function trailingSpace(text: string): string {
  let begin = text.length;
  while (begin > 0 && SPACE_CHARACTER.test(text[begin - 1])) begin--;
  return text.slice(begin);
}

/** `len(str)`: code points. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}

/** Titlecase letters that are neither the uppercase letter nor its first part. */
const TITLECASE: Readonly<Record<string, string>> = { Ǆ: "ǅ", Ǉ: "ǈ", Ǌ: "ǋ", Ǳ: "ǲ" };
/** Georgian has capitals for whole words in capitals, but none to begin a sentence with. */
const GEORGIAN = /[\u10d0-\u10ff]/;

/**
 * `str.capitalize()`: the first letter in titlecase, the rest in lowercase. Compared over all of Unicode 14; Greek letters with
 * an iota subscript differ (their titlecase is a letter of its own), and so does U+0149.
 */
export function capitalize(text: string): string {
  const [first] = text;
  if (first === undefined) return "";
  return titlecase(first) + text.toLowerCase().slice(first.toLowerCase().length);
}

function titlecase(letter: string): string {
  if (GEORGIAN.test(letter)) return letter;
  const upper = letter.toUpperCase();
  const [begin, ...rest] = upper;
  return TITLECASE[upper] ?? begin + rest.join("").toLowerCase();
}
