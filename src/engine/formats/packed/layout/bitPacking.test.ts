import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packBits, packRows, unpackBits, wordsFor } from "./bitPacking.ts";

const along = { start: 0, step: 1 };

/** Bit by bit, as the definition says. */
function packedSlowly(codes: Uint8Array, bits: number): number[] {
  const words = Array.from({ length: wordsFor(codes.length, bits) }, () => 0n);
  codes.forEach((code, i) => {
    for (let k = 0; k < bits; k++) {
      const bit = i * bits + k;
      words[bit >> 5] |= BigInt((code >> k) & 1) << BigInt(bit & 31);
    }
  });
  return words.map(Number);
}

const packable = fc.integer({ min: 1, max: 8 }).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    codes: fc.uint8Array({ max: 2 ** bits - 1, maxLength: 200 }),
  }),
);

describe("dense bit packing", () => {
  it("puts bit k of code i at bit i·bits + k, for every width and count", () => {
    fc.assert(
      fc.property(packable, ({ bits, codes }) => {
        const words = new Uint32Array(wordsFor(codes.length, bits));
        packBits(codes, along, codes.length, bits, words, along);
        expect(Array.from(words)).toEqual(packedSlowly(codes, bits));
      }),
    );
  });

  it("gives the codes back, whatever the distances between codes and words, and touches nothing else", () => {
    const steps = fc.record({ start: fc.nat(5), step: fc.integer({ min: 1, max: 7 }) });
    fc.assert(
      fc.property(packable, steps, steps, ({ bits, codes }, ofCodes, ofWords) => {
        const spread = new Uint8Array(ofCodes.start + codes.length * ofCodes.step).fill(99);
        codes.forEach((code, i) => (spread[ofCodes.start + i * ofCodes.step] = code));
        const count = wordsFor(codes.length, bits);
        const words = new Uint32Array(ofWords.start + count * ofWords.step).fill(77);
        packBits(spread, ofCodes, codes.length, bits, words, ofWords);
        const own = new Set(Array.from({ length: count }, (_, i) => ofWords.start + i * ofWords.step));
        words.forEach((word, i) => own.has(i) || expect(word).toBe(77));
        const back = new Uint8Array(spread.length).fill(99);
        unpackBits(words, ofWords, codes.length, bits, back, ofCodes);
        expect(back).toEqual(spread);
      }),
    );
  });

  it("reads any words without leaving them: every code is in range", () => {
    fc.assert(
      fc.property(
        fc.uint32Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        (words, bits) => {
          const count = Math.floor((words.length * 32) / bits);
          const codes = new Uint8Array(count);
          unpackBits(words, along, count, bits, codes, along);
          expect(Math.max(...codes)).toBeLessThan(2 ** bits);
          const again = new Uint32Array(words.length);
          packBits(codes, along, count, bits, again, along);
          const unused = (words.length * 32) % bits;
          expect(Array.from(again.subarray(0, -1))).toEqual(Array.from(words.subarray(0, -1)));
          if (unused === 0) expect(again).toEqual(words);
        },
      ),
    );
  });

  it("packs row after row as it packs one, wherever the codes begin", () => {
    const shape = fc.record({
      bits: fc.integer({ min: 1, max: 8 }),
      rows: fc.integer({ min: 1, max: 5 }),
      columns: fc.integer({ min: 1, max: 40 }),
      skipped: fc.nat(5),
    });
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.nat(255)), ({ bits, rows, columns, skipped }, stream) => {
        const all = Uint8Array.from(
          { length: skipped + rows * columns },
          () => stream.next().value % 2 ** bits,
        );
        const codes = all.subarray(skipped);
        const expected = Array.from({ length: rows }, (_, row) =>
          packedSlowly(codes.slice(row * columns, (row + 1) * columns), bits),
        );
        expect(Array.from(packRows(codes, rows, columns, bits))).toEqual(expected.flat());
      }),
      { numRuns: 500 },
    );
  });
});
