import { describe, expect, it } from "vitest";
import { capitalize, codePoints, strip, stripEnd, stripStart, trailingSpace } from "./pythonText.ts";

describe("white space", () => {
  it("is Python's: U+001C and U+0085 are, U+FEFF is not", () => {
    expect(strip("\u001c\u0085 a b\u00a0\n")).toBe("a b");
    expect(strip("\ufeffa\ufeff")).toBe("\ufeffa\ufeff");
  });

  it("is taken from one end alone where that was asked for", () => {
    expect(stripStart(" \n a ")).toBe("a ");
    expect(stripEnd(" a \t\n")).toBe(" a");
    expect(trailingSpace(" a \t\n")).toBe(" \t\n");
    expect(trailingSpace("   ")).toBe("   ");
  });
});

it("codePoints counts characters as Python's len does", () => {
  expect(codePoints("né🦊")).toBe(3);
});

/* What Python's str.capitalize gives for each. */
it.each([
  ["", ""],
  ["a dog RUNS Away", "A dog runs away"],
  ["[substeps] Do", "[substeps] do"],
  ["ßA", "Ssa"],
  ["ǆA", "ǅa"],
  ["ΟΔΟΣ", "Οδος"],
  ["İSTANBUL", "İstanbul"],
  ["აბ", "აბ"],
  ["ﬁN", "Fin"],
])("capitalize(%j) is %j", (text, expected) => {
  expect(capitalize(text)).toBe(expected);
});
