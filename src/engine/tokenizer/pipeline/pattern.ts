import { ReplaceNormalizer } from "@huggingface/tokenizers";
import { z } from "zod";

/** What tokenizer.json searches for: a plain text, or a regular expression of Oniguruma. */
export const patternSchema = z.union([
  z.object({ String: z.string() }).transform(({ String: text }) => ({ String: text })),
  z.object({ Regex: z.string() }).transform(({ Regex: source }) => ({ Regex: source })),
]);
export type Pattern = z.output<typeof patternSchema>;

/**
 * The pattern as JavaScript's, flags `gu`. Oniguruma's syntax is the library's to rewrite; what it folds too little is folded here.
 * @throws SyntaxError where the expression has no counterpart
 */
export function compilePattern(pattern: Pattern): RegExp {
  const folded = "Regex" in pattern ? { Regex: foldedLetters(pattern.Regex) } : pattern;
  const { pattern: compiled } = new ReplaceNormalizer({ type: "Replace", pattern: folded, content: "" });
  if (compiled === null) throw new SyntaxError("a pattern is neither a String nor a Regex");
  return compiled;
}

/**
 * In `(?i:…)` two letters beyond ASCII are equal to ASCII ones: ſ (U+017F) to s and K (U+212A) to k. Groups of plain
 * alternatives are rewritten, which is what contractions are written as.
 */
function foldedLetters(source: string): string {
  return source.replace(/\(\?i:([^()[\]\\]*)\)/g, (group) =>
    group.replace(/[sS]/g, "(?:s|\u017f)").replace(/[kK]/g, "(?:k|\u212a)"),
  );
}
