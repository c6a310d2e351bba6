import { SPACE } from "#engine/files/pythonText.ts";

/** White space as Python's `re` sees it in text, which is what lm-eval splits words at. */
const PYTHON_WHITE_SPACE = new RegExp(`[${SPACE}]+`);

/** Words as lm-eval's word perplexity counts them: pieces between runs of white space, an empty piece at either end included. */
export function countWords(text: string): number {
  return text.split(PYTHON_WHITE_SPACE).length;
}

/** UTF-8 bytes of a text. */
export function countBytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}
