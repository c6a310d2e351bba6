import { PRE_TOKENIZERS, type PreTokenizer } from "../layout/preTokenizerRules.ts";
import { exactTokenizer } from "#engine/tokenizer/tokenizerFiles.ts";

/** Which of llama.cpp's rules a byte-level tokenizer follows, and how well. */
export interface RecognisedPreTokenizer {
  readonly rules: PreTokenizer;
  /** Texts of the probe that the rules cut otherwise; empty = none. */
  readonly differing: readonly string[];
}

/**
 * Texts that tell the rules apart: contractions, digits in runs, blanks and line ends of all kinds, letters of several
 * scripts, case in words, symbols beside letters; digits and numbers that are no ASCII digits, since a vocabulary may hold no
 * runs of ASCII digits and so hide how those are cut.
 */
export const PROBE: readonly string[] = [
  "The quick brown fox jumps over the lazy dog.",
  "I've said she'd go; they'll see what WE'RE doing, won't they? It's Tom's.",
  "'tis 'twas DON'T I'M",
  "1 12 123 1234 12345 3.14159 2024-11-07 v1.0.3 x2y3",
  "a  b   c    d\t\te \t f",
  "one\ntwo\n\nthree\r\nfour \n five\n  six\n\n\n",
  "   leading and trailing   ",
  "camelCase HTTPServer XMLHttpRequest snake_case kebab-case",
  'print("hello, world!") // comment == != <= >= && || ++ -- -> => :: ...',
  "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }",
  "naïve café Ångström straße œuvre",
  "Привет, мир! Γειά σου Κόσμε. 你好，世界！ こんにちは世界 안녕하세요 مرحبا नमस्ते",
  "🙂 👍🏽 👨‍👩‍👧 €5 £6 50% #tag @name a/b\\c",
  "½ cup and ¼ tsp, 4 ½ months, m² and x³, Chapter Ⅷ, ①②③, ١٩٤٨ to ٢٠٠٤, १२३, 12½ 3⅔",
  "(a)[b]{c}<d>\"e\"'f'`g` …“quoted” ‘single’ – dash — em",
];

/**
 * Finds the rules that give the tokenizer's own tokens. tokenizer.json holds patterns, llama.cpp names; what counts is
 * that both cut texts alike, so the tokenizer is built once more with each set of rules and compared on the probe.
 * @param definition of tokenizer.json
 */
export function recognisePreTokenizer(definition: Readonly<Record<string, unknown>>): RecognisedPreTokenizer {
  const own = exactTokenizer(definition);
  const wanted = PROBE.map((text) => own.encode(text));
  const ignoresMerges = modelOf(definition)["ignore_merges"] === true;
  let best: RecognisedPreTokenizer | null = null;
  for (const rules of PRE_TOKENIZERS) {
    const ruled = exactTokenizer(
      {
        ...definition,
        normalizer: null,
        pre_tokenizer: rules.definition,
        model: { ...modelOf(definition), ignore_merges: rules.ignoreMerges },
      },
      own,
    );
    const found = PROBE.map((text) => ruled.encode(text));
    const differing = PROBE.filter((_, i) => wanted[i].join() !== found[i].join());
    if (differing.length === 0 && rules.ignoreMerges === ignoresMerges) return { rules, differing };
    if (best === null || differing.length < best.differing.length) best = { rules, differing };
  }
  if (best === null) throw new Error("there are no rules to choose from");
  return best;
}

function modelOf(definition: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const model = definition["model"];
  return typeof model === "object" && model !== null ? { ...model } : {};
}
