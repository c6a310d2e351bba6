/** White space as Python's `re` sees it in text, which is what lm-eval splits words at. JavaScript's \s differs (U+FEFF in, U+001C … U+001F and U+0085 out). */
const PYTHON_WHITE_SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/; // eslint-disable-line no-control-regex

/** Words as lm-eval's word perplexity counts them: pieces between runs of white space, an empty piece at either end included. */
export function countWords(text: string): number {
  return text.split(PYTHON_WHITE_SPACE).length;
}

/** UTF-8 bytes of a text. */
export function countBytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
