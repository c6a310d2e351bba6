import { expect, it } from "vitest";
import { packedBitsPerWeight } from "./packedBits.ts";

const q4 = { scheme: "Q4_0", bitsPerWeight: 4.5 };
const q8 = { scheme: "Q8_0", bitsPerWeight: 8.5 };

it("is over the decoder's packed linears, as a variant is counted: a packed head is no part of it", () => {
  const linears = [
    { packed: q4, parameters: 300, linear: true },
    { packed: q8, parameters: 100, linear: true },
  ];
  expect(packedBitsPerWeight(linears)).toBe(5.5);
  const head = { packed: q8, parameters: 400, linear: false };
  expect(packedBitsPerWeight([...linears, head])).toBe(5.5);
  expect(packedBitsPerWeight([...linears, { parameters: 900, linear: true }])).toBe(5.5);
});

it("is not known where no linear is packed", () => {
  expect(packedBitsPerWeight([{ packed: q8, parameters: 400, linear: false }])).toBeNull();
});
