import { expect, it } from "vitest";
import { answerTo, keyOf } from "./answered.ts";

it("an answer counts for its own question alone", () => {
  const answered = { key: keyOf({ recipe: { bits: 4 }, kept: "8-bit" }), answer: 7 };
  expect(answerTo(answered, keyOf({ recipe: { bits: 4 }, kept: "8-bit" }))).toBe(7);
  expect(answerTo(answered, keyOf({ recipe: { bits: 3 }, kept: "8-bit" }))).toBeNull();
  expect(answerTo(null, answered.key)).toBeNull();
});
