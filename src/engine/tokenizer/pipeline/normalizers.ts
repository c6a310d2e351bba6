import { z } from "zod";
import { byteCharacters, WHITE_SPACE } from "./characters.ts";
import { NOT_A_CONTROL, NOT_A_MARK, NOT_DECOMPOSED, NOT_NONSPACING } from "./olderUnicode.ts";
import { compilePattern, patternSchema } from "./pattern.ts";
import { precompiledNormalizer } from "./precompiled.ts";

/** Rewrites a text before it is cut into words. */
export type Normalizer = (text: string) => string;

const bert = z.object({
  type: z.literal("BertNormalizer"),
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  /** Null = as `lowercase`. */
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});

const simple = z.discriminatedUnion("type", [
  bert,
  z.object({ type: z.literal("ByteLevel") }),
  z.object({ type: z.literal("Lowercase") }),
  z.object({ type: z.literal("NFC") }),
  z.object({ type: z.literal("NFD") }),
  z.object({ type: z.literal("NFKC") }),
  z.object({ type: z.literal("NFKD") }),
  z.object({ type: z.literal("Nmt") }),
  z.object({ type: z.literal("Precompiled"), precompiled_charsmap: z.string() }),
  z.object({ type: z.literal("Prepend"), prepend: z.string() }),
  z.object({ type: z.literal("Replace"), pattern: patternSchema, content: z.string() }),
  z.object({
    type: z.literal("Strip"),
    strip_left: z.boolean().default(false),
    strip_right: z.boolean().default(false),
  }),
  z.object({ type: z.literal("StripAccents") }),
]);

const sequence = z.object({ type: z.literal("Sequence"), normalizers: z.array(z.unknown()) });

/**
 * A `normalizer` of tokenizer.json as Hugging Face's Rust library runs it; null does nothing.
 * @throws Error, ZodError, SyntaxError where it is of an unknown kind or incomplete
 */
export function createNormalizer(config: unknown): Normalizer {
  if (config === null || config === undefined) return (text) => text;
  const several = sequence.safeParse(config);
  if (several.success) return inSequence(several.data.normalizers.map(createNormalizer));
  return create(simple.parse(config));
}

function create(config: z.output<typeof simple>): Normalizer {
  switch (config.type) {
    case "BertNormalizer":
      return bertNormalizer(config);
    case "ByteLevel":
      return byteCharacters;
    case "Lowercase":
      return lowercase;
    case "NFC":
      return (text) => text.normalize("NFC");
    case "NFD":
    case "NFKC":
    case "NFKD":
      return decomposing(config.type);
    case "Nmt":
      return nmt;
    case "Precompiled":
      return precompiledNormalizer(config.precompiled_charsmap);
    case "Prepend":
      return (text) => (text === "" ? "" : config.prepend + text);
    case "Replace": {
      const pattern = compilePattern(config.pattern);
      // a function: in a text `$&` and its kin would be filled in
      return (text) => text.replace(pattern, () => config.content);
    }
    case "Strip":
      return strip(config);
    case "StripAccents":
      return removing(new RegExp(String.raw`(?![${NOT_A_MARK}])[\p{M}\u1cf2\u1cf3]`, "gu"));
  }
}

function inSequence(steps: readonly Normalizer[]): Normalizer {
  return (text) => steps.reduce((last, step) => step(last), text);
}

function removing(pattern: RegExp): Normalizer {
  return (text) => text.replace(pattern, "");
}

/** Character by character: Rust knows nothing of a word's last sigma. */
function lowercase(text: string): string {
  return text
    .split("Σ")
    .map((part) => part.toLowerCase())
    .join("σ");
}

const KNOWN = new RegExp(`[^${NOT_DECOMPOSED}]+`, "gu");

function decomposing(form: "NFD" | "NFKC" | "NFKD"): Normalizer {
  return (text) => text.replace(KNOWN, (part) => part.normalize(form));
}

const NMT_DROPPED = new RegExp(String.raw`[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]`, "gu");
const NMT_BLANKS = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/gu;

function nmt(text: string): string {
  return text.replace(NMT_DROPPED, "").replace(NMT_BLANKS, " ");
}

function strip({
  strip_left: left,
  strip_right: right,
}: {
  strip_left: boolean;
  strip_right: boolean;
}): Normalizer {
  const ends = [...(left ? [`^[${WHITE_SPACE}]+`] : []), ...(right ? [`[${WHITE_SPACE}]+$`] : [])];
  return ends.length === 0 ? (text) => text : removing(new RegExp(ends.join("|"), "gu"));
}

const CONTROLS = new RegExp(String.raw`(?![\t\n\r${NOT_A_CONTROL}])[\0\ufffd\p{Cc}\p{Cf}\p{Co}]`, "gu");
const BLANKS = new RegExp(`[${WHITE_SPACE}]`, "gu");
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
const NONSPACING = new RegExp(String.raw`(?![${NOT_NONSPACING}])[\p{Mn}\u1734\u{1171e}]`, "gu");

function bertNormalizer(config: z.output<typeof bert>): Normalizer {
  const decompose = decomposing("NFD");
  return inSequence([
    ...(config.clean_text ? [(text: string) => text.replace(CONTROLS, "").replace(BLANKS, " ")] : []),
    ...(config.handle_chinese_chars ? [(text: string) => text.replace(CHINESE, " $& ")] : []),
    ...((config.strip_accents ?? config.lowercase)
      ? [(text: string) => decompose(text).replace(NONSPACING, "")]
      : []),
    ...(config.lowercase ? [lowercase] : []),
  ]);
}
