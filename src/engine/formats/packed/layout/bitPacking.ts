/** Elements of an array at a regular distance. */
export interface Strided {
  readonly start: number;
  readonly step: number;
}

const WORD_BITS = 32;

/** Words that `count` codes of `bits` bits fill. */
export function wordsFor(count: number, bits: number): number {
  return Math.ceil((count * bits) / WORD_BITS);
}

/**
 * Packs codes densely into 32-bit words: bit k of code i is bit i·bits + k of the words, counted from the lowest; what is left
 * of the last word is 0. Codes and words lie at a regular distance, so that rows and columns pack alike.
 * @param codes 0 … 2^bits − 1, bits 1 … 8
 */
export function packBits(
  codes: Uint8Array,
  from: Strided,
  count: number,
  bits: number,
  words: Uint32Array,
  to: Strided,
): void {
  let word = 0;
  let filled = 0;
  let at = to.start;
  let place = from.start;
  for (let i = 0; i < count; i++, place += from.step) {
    const code = codes[place];
    word |= code << filled;
    filled += bits;
    if (filled < WORD_BITS) continue;
    words[at] = word;
    at += to.step;
    filled -= WORD_BITS;
    word = filled > 0 ? code >>> (bits - filled) : 0;
  }
  if (filled > 0) words[at] = word;
}

/**
 * Every row of codes packed densely by itself: {@link packBits} of each, faster where words hold whole codes and rows whole words.
 * @param codes (rows, columns) @returns (rows, words of a row)
 */
export function packRows(codes: Uint8Array, rows: number, columns: number, bits: number): Uint32Array {
  const perRow = wordsFor(columns, bits);
  const words = new Uint32Array(rows * perRow);
  const fills = perRow * WORD_BITS === columns * bits;
  if (bits === 4 && fills) packNibbles(codes, words);
  else if (bits === 8 && fills) new Uint8Array(words.buffer).set(codes);
  else
    for (let row = 0; row < rows; row++)
      packBits(codes, { start: row * columns, step: 1 }, columns, bits, words, {
        start: row * perRow,
        step: 1,
      });
  return words;
}

/**
 * 4-bit codes, eight a word, the first lowest: two a byte.
 * @param codes at least eight for every word
 */
export function packNibbles(codes: Uint8Array, words: Uint32Array): void {
  const { buffer, byteOffset } = codes.byteOffset % 4 === 0 ? codes : codes.slice();
  const fours = new Uint32Array(buffer, byteOffset, 2 * words.length);
  for (let i = 0; i < words.length; i++) words[i] = pairsOf(fours[2 * i]) | (pairsOf(fours[2 * i + 1]) << 16);
}

/** Four codes in four bytes as two bytes. */
function pairsOf(four: number): number {
  const pairs = four | (four >>> 4);
  return (pairs & 0xff) | ((pairs >>> 8) & 0xff00);
}

/** The reverse of {@link packBits}: `count` codes, as many as the words hold or fewer. */
export function unpackBits(
  words: Uint32Array,
  from: Strided,
  count: number,
  bits: number,
  codes: Uint8Array,
  to: Strided,
): void {
  const mask = (1 << bits) - 1;
  let at = from.start;
  let word = words[at];
  let used = 0;
  let place = to.start;
  for (let i = 0; i < count; i++, place += to.step) {
    let code = word >>> used;
    used += bits;
    if (used >= WORD_BITS && (used > WORD_BITS || i + 1 < count)) {
      at += from.step;
      word = words[at];
      used -= WORD_BITS;
      if (used > 0) code |= word << (bits - used);
    }
    codes[place] = code & mask;
  }
}
