import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { widen } from "./widen.ts";

const ALL_BITS = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

describe("widen", () => {
  it("gives every f16 its exact value", () => {
    const out = new Float32Array(65_536);
    widen(new Uint8Array(ALL_BITS.buffer), "F16", out);
    const expected = new DataView(ALL_BITS.buffer);
    for (let i = 0; i < out.length; i++)
      expect(Object.is(out[i], expected.getFloat16(2 * i, true))).toBe(true);
  });

  it("gives every bf16 the f32 whose upper half it is", () => {
    const out = new Float32Array(65_536);
    widen(new Uint8Array(ALL_BITS.buffer), "BF16", out);
    const words = new Uint32Array(out.buffer);
    expect(words.every((word, bits) => word === (bits << 16) >>> 0)).toBe(true);
    expect(out[0x3f80]).toBe(1);
    expect(out[0xc040]).toBe(-3);
    expect(out[0x7f80]).toBe(Infinity);
  });

  it("copies f32 bit by bit", () => {
    fc.assert(
      fc.property(fc.float32Array(), (values) => {
        const out = new Float32Array(values.length);
        widen(new Uint8Array(values.slice().buffer), "F32", out);
        expect(new Uint32Array(out.buffer)).toEqual(new Uint32Array(values.slice().buffer));
      }),
    );
  });

  it("writes into shared memory", () => {
    const out = new Float32Array(new SharedArrayBuffer(8));
    widen(Uint8Array.of(0x80, 0x3f, 0x00, 0x40), "BF16", out);
    expect([...out]).toEqual([1, 2]);
  });
});
