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
