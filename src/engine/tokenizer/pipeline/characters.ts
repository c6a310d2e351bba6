import { NOT_PUNCTUATION } from "./olderUnicode.ts";

/**
 * Kinds of characters as Hugging Face's Rust library tells them apart, as bodies of a character class (flags `u`). JavaScript's own
 * shorthands differ: `\d` and `\w` know ASCII only, `\s` has U+FEFF and lacks U+0085.
 */
export const WHITE_SPACE = String.raw`\p{White_Space}`;

/** Rust's `char::is_numeric`: decimal digits of every script, and fractions, Roman numerals, circled numbers beside them. */
export const NUMERIC = String.raw`\p{N}`;

/** `\w` of Rust's regex crate. */
export const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;

const ASCII_PUNCTUATION = "!-\\/:-@\\[-`\\{-~";
/** Punctuation of ASCII, symbols among it, and of Unicode: a whole pattern for one character. */
export const PUNCTUATION = String.raw`(?![${NOT_PUNCTUATION}])[${ASCII_PUNCTUATION}\p{P}\u166d\u{111c9}]`;

const utf8 = new TextEncoder();

/** A printable character for each byte, as GPT-2 writes them: printable Latin-1 stands for itself, the rest from U+0100 on. */
const BYTE_CHARACTERS: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

/** The bytes of a text, each as its printable character. */
export function byteCharacters(text: string): string {
  if (/^[!-~]*$/.test(text)) return text;
  let written = "";
  for (const byte of utf8.encode(text)) written += BYTE_CHARACTERS[byte];
  return written;
}

const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** The bytes that a token's characters stand for; null where one of them stands for none. */
export function bytesOfCharacters(token: string): number[] | null {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    if (byte === undefined) return null;
    bytes.push(byte);
  }
  return bytes;
}

/** The token that a model with byte fallback has for a byte: `<0xE2>`. */
export function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

/** Those of a text. */
export function byteTokens(text: string): string[] {
  return Array.from(utf8.encode(text), byteToken);
}

/** The byte of such a token, null where it is none. */
export function byteOfToken(token: string): number | null {
  return /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : null;
}
