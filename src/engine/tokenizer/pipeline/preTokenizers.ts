import { z } from "zod";
import { byteCharacters, NUMERIC, PUNCTUATION, WHITE_SPACE, WORD } from "./characters.ts";
import { compilePattern, patternSchema } from "./pattern.ts";
import { pieces, stretches, type SplitBehavior, type Stretch } from "./splitBehavior.ts";

/**
 * Cuts a text into words, which the model then cuts into tokens on their own.
 * @param first true where the text stands at the very beginning of what is encoded
 */
export type PreTokenizer = (text: string, first: boolean) => string[];

const behavior = z
  .string()
  .transform((name) => name.toLowerCase())
  .pipe(z.enum(["removed", "isolated", "mergedwithprevious", "mergedwithnext", "contiguous"]));

const metaspace = z.object({
  type: z.literal("Metaspace"),
  replacement: z.string().default("▁"),
  prepend_scheme: z.enum(["always", "first", "never"]).optional(),
  /** How files before 0.15 said `never`. */
  add_prefix_space: z.boolean().optional(),
  split: z.boolean().nullish(),
});

const simple = z.discriminatedUnion("type", [
  z.object({ type: z.literal("BertPreTokenizer") }),
  z.object({
    type: z.literal("ByteLevel"),
    add_prefix_space: z.boolean().default(false),
    use_regex: z.boolean().default(true),
  }),
  z.object({ type: z.literal("CharDelimiterSplit"), delimiter: z.string() }),
  z.object({ type: z.literal("Digits"), individual_digits: z.boolean().default(false) }),
  z.object({ type: z.literal("FixedLength"), length: z.number().int().positive().default(5) }),
  metaspace,
  z.object({ type: z.literal("Punctuation"), behavior: behavior.default("isolated") }),
  z.object({
    type: z.literal("Split"),
    pattern: patternSchema,
    behavior,
    invert: z.boolean().default(false),
  }),
  z.object({ type: z.literal("Whitespace") }),
  z.object({ type: z.literal("WhitespaceSplit") }),
]);
type Simple = z.output<typeof simple>;

const sequence = z.object({ type: z.literal("Sequence"), pretokenizers: z.array(z.unknown()) });

/** GPT-2's words: contractions, letters, numbers and other characters with the blank before them, white space. */
const GPT2_WORDS = new RegExp(
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^${WHITE_SPACE}\p{L}\p{N}]+|` +
    String.raw`${WHITE_SPACE}+(?!\P{White_Space})|${WHITE_SPACE}+`,
  "gu",
);

/**
 * A `pre_tokenizer` of tokenizer.json as Hugging Face's Rust library runs it; null does nothing.
 * @throws Error, ZodError, SyntaxError where it is of an unknown kind or incomplete
 */
export function createPreTokenizer(config: unknown): PreTokenizer {
  if (config === null || config === undefined) return (text) => [text];
  const several = sequence.safeParse(config);
  if (several.success) return inSequence(several.data.pretokenizers.map(createPreTokenizer));
  const cut = create(simple.parse(config));
  // a blank in front of nothing would be a word
  return (text, first) => (text === "" ? [] : cut(text, first));
}

function create(config: Simple): PreTokenizer {
  switch (config.type) {
    case "BertPreTokenizer":
      return inSequence([cutting(`[${WHITE_SPACE}]`, "removed"), cutting(PUNCTUATION, "isolated")]);
    case "ByteLevel":
      return byteLevel(config);
    case "CharDelimiterSplit":
      return cutBy(compilePattern({ String: config.delimiter }), "removed");
    case "Digits":
      return cutting(`[${NUMERIC}]`, config.individual_digits ? "isolated" : "contiguous");
    case "FixedLength":
      return (text) => fixedLength(text, config.length);
    case "Metaspace":
      return metaspaceWords(config);
    case "Punctuation":
      return cutting(PUNCTUATION, config.behavior);
    case "Split":
      return cutBy(compilePattern(config.pattern), config.behavior, config.invert);
    case "Whitespace":
      return cutBy(new RegExp(`[${WORD}]+|[^${WORD}${WHITE_SPACE}]+`, "gu"), "removed", true);
    case "WhitespaceSplit":
      return cutting(`[${WHITE_SPACE}]`, "removed");
  }
}

function cutting(source: string, how: SplitBehavior): PreTokenizer {
  return cutBy(new RegExp(source, "gu"), how);
}

/** @param invert the pattern says what lies between the cuts */
function cutBy(pattern: RegExp, how: SplitBehavior, invert = false): PreTokenizer {
  const side = ({ text, matched }: Stretch): Stretch => ({ text, matched: matched !== invert });
  return (text) => pieces(stretches(text, pattern).map(side), how);
}

/** One after another, each on what the last one left. */
function inSequence(steps: readonly PreTokenizer[]): PreTokenizer {
  return (text, first) =>
    steps.reduce(
      (words, step) => words.flatMap((word, i) => step(word, first && i === 0 && text.startsWith(word))),
      [text],
    );
}

function byteLevel({
  add_prefix_space: prefix,
  use_regex: cuts,
}: Simple & { type: "ByteLevel" }): PreTokenizer {
  return (text) => {
    const prefixed = prefix && !text.startsWith(" ") ? ` ${text}` : text;
    const words = cuts ? (prefixed.match(GPT2_WORDS) ?? []) : [prefixed];
    return words.map(byteCharacters);
  };
}

function fixedLength(text: string, length: number): string[] {
  const characters = Array.from(text);
  const words: string[] = [];
  for (let at = 0; at < characters.length; at += length)
    words.push(characters.slice(at, at + length).join(""));
  return words;
}

function metaspaceWords(config: Simple & { type: "Metaspace" }): PreTokenizer {
  const { replacement, split } = config;
  const scheme = config.prepend_scheme ?? (config.add_prefix_space === false ? "never" : "always");
  const cut = cutBy(compilePattern({ String: replacement }), "mergedwithnext");
  return (text, first) => {
    const written = text.replaceAll(" ", () => replacement);
    const prepends = scheme === "always" || (scheme === "first" && first);
    const whole = prepends && !written.startsWith(replacement) ? replacement + written : written;
    return split === false ? [whole] : cut(whole, first);
  };
}
