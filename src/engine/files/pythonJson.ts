/** Stands in front of a number that JSON cannot spell; of Unicode's private use area, so that no text begins with it. */
const MARK = "\uf8ff";
/** A string as a whole, so that nothing inside it is taken for a number; or such a number. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

/**
 * JSON as Python's json module writes it, where numbers may be NaN, Infinity and -Infinity.
 * @throws SyntaxError
 */
export function parsePythonJson(text: string): unknown {
  if (!/Infinity|NaN/.test(text)) return JSON.parse(text);
  const marked = text.replace(STRING_OR_NUMBER, (found) =>
    found.startsWith('"') ? found : `"${MARK}${found}"`,
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? Number(value.slice(MARK.length)) : value,
  );
}

/** The way back: JSON with such numbers spelled as Python reads them; all else as JSON.stringify has it. */
export function pythonJson(value: unknown, indent: number): string {
  const marked = JSON.stringify(
    value,
    (_key, each: unknown) => (typeof each === "number" && !Number.isFinite(each) ? `${MARK}${each}` : each),
    indent,
  );
  return marked.replaceAll(new RegExp(`"${MARK}(-?Infinity|NaN)"`, "g"), "$1");
}
