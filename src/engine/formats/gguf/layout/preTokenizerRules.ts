/**
 * How llama.cpp cuts texts into words before it merges bytes: known by name only, since its files hold no pattern. The patterns
 * are those of the tokenizer.json files that the names stand for.
 */
export interface PreTokenizer {
  /** `tokenizer.ggml.pre`. */
  readonly name: string;
  /** The same as a `pre_tokenizer` of tokenizer.json. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** Whether words that are tokens themselves are taken whole. */
  readonly ignoreMerges: boolean;
}

const BYTES = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
const DIGITS = { type: "Digits", individual_digits: true };

/** Splits by the patterns one after another, then writes bytes as printable characters. */
function splitBy(...patterns: readonly string[]) {
  const splits = patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  return { type: "Sequence", pretokenizers: [...splits, BYTES] };
}

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
/** Of ASCII in either case: llama.cpp knows no other letters that are equal to them. */
const CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const REST = String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const LLAMA3 = String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}${REST}`;
const QWEN2 = String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}${REST}`;
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const CASED_REST = String.raw`| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const TEKKEN = String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+|[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*|\p{N}${CASED_REST}`;
const GPT4O = String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${CONTRACTIONS}?|[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${CONTRACTIONS}?|\p{N}{1,3}${CASED_REST}`;

/** In the order they are tried. */
export const PRE_TOKENIZERS: readonly PreTokenizer[] = [
  { name: "gpt-2", definition: splitBy(GPT2), ignoreMerges: false },
  { name: "llama-bpe", definition: splitBy(LLAMA3), ignoreMerges: true },
  { name: "qwen2", definition: splitBy(QWEN2), ignoreMerges: false },
  { name: "tekken", definition: splitBy(TEKKEN), ignoreMerges: true },
  {
    name: "smollm",
    definition: {
      type: "Sequence",
      pretokenizers: [DIGITS, { ...BYTES, use_regex: true }],
    },
    ignoreMerges: false,
  },
  { name: "smaug-bpe", definition: splitBy(LLAMA3), ignoreMerges: false },
  { name: "gpt-4o", definition: splitBy(GPT4O), ignoreMerges: false },
  {
    name: "default",
    definition: splitBy(String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, String.raw`\p{N}+`, "[0-9][0-9][0-9]"),
    ignoreMerges: false,
  },
];

/** Other names of the same rules. */
const NAMES: Readonly<Record<string, string>> = {
  "llama-bpe": "llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
  qwen2: "deepseek-r1-qwen megrez stablelm2 hunyuan kormo f2llmv2 solar-open",
  "gpt-2":
    "olmo jais mpt phi-2 gpt2 gigachat a.x-4.0 mellum modern-bert trillion granite-docling exaone4 jina-es jina-de",
  smollm: "starcoder refact command-r codeshell exaone minerva-7b mellum2",
  "smaug-bpe": "dbrx glm4 chatglm-bpe",
  "gpt-4o": "llama4 kanana2 talkie",
};
const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([rules, names]) =>
    names.split(" ").map((name): [string, string] => [name, rules]),
  ),
);

/** The rules a file names; null where they are not known here. */
export function preTokenizer(name: string): PreTokenizer | null {
  const own = ALIASES.get(name) ?? name;
  return PRE_TOKENIZERS.find((each) => each.name === own) ?? null;
}
