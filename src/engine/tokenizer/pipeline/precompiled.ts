/**
 * SentencePiece's table of normalizations: a double-array trie over UTF-8 bytes (darts-clone), and behind it the replacements, each
 * ended by a zero byte. A short grapheme is looked up as a whole, then character by character.
 * @param charsmap base64: the trie's length in bytes (u32, little-endian), the trie, the replacements
 * @throws Error where the table is cut short
 */
export function precompiledNormalizer(charsmap: string): (text: string) => string {
  const table = readTable(charsmap);
  return (text) => {
    let written = "";
    for (const { segment } of graphemes.segment(text)) {
      const whole = utf8.encode(segment).length < SHORT ? replacementOf(table, segment) : null;
      written +=
        whole ?? Array.from(segment, (character) => replacementOf(table, character) ?? character).join("");
    }
    return written;
  };
}

/** Graphemes of fewer bytes are looked up as a whole. */
const SHORT = 6;
const utf8 = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

interface Table {
  readonly trie: Uint32Array;
  readonly replacements: Uint8Array;
}

function readTable(charsmap: string): Table {
  const bytes = Uint8Array.from(Buffer.from(charsmap, "base64"));
  const view = new DataView(bytes.buffer);
  const length = bytes.length >= 4 ? view.getUint32(0, true) : -1;
  if (length < 4 || length % 4 !== 0 || 4 + length > bytes.length)
    throw new Error("its precompiled_charsmap is cut short");
  const trie = Uint32Array.from({ length: length / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  return { trie, replacements: bytes.subarray(4 + length) };
}

/** What the shortest entry that a text begins with becomes; null where it begins with none. */
function replacementOf({ trie, replacements }: Table, text: string): string | null {
  let at = offsetOf(trie[0]);
  for (const byte of utf8.encode(text)) {
    if (byte === 0) return null;
    at ^= byte;
    const unit = at < trie.length ? trie[at] : 0;
    if (labelOf(unit) !== byte) return null;
    at ^= offsetOf(unit);
    if (hasLeaf(unit)) {
      const begin = trie[at] & 0x7fff_ffff;
      const end = replacements.indexOf(0, begin);
      return decoder.decode(replacements.subarray(begin, end < 0 ? undefined : end));
    }
  }
  return null;
}

/** A unit: bit 8 = a key ends here; bits 0–7 and 31 = label; bits 10 on = offset, in 256s where bit 9 is set. */
function hasLeaf(unit: number): boolean {
  return ((unit >>> 8) & 1) === 1;
}

function labelOf(unit: number): number {
  return (unit & 0x8000_00ff) >>> 0;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
