import { expect, it } from "vitest";
import { isOfOtherModel } from "./otherModel.ts";

const open = { summary: { path: "/a", fingerprint: "1" } };

it("a run belongs to the open model when place and checkpoint are its own", () => {
  expect(isOfOtherModel({ summary: { model: "/a", fingerprint: "1" } }, open)).toBe(false);
  expect(isOfOtherModel({ summary: { model: "/b", fingerprint: "1" } }, open)).toBe(true);
  expect(isOfOtherModel({ summary: { model: "/a", fingerprint: "2" } }, open)).toBe(true);
});

it("nothing is said while the run or the model is still read", () => {
  expect(isOfOtherModel({ summary: null }, open)).toBe(false);
  expect(isOfOtherModel({ summary: { model: "/b", fingerprint: "1" } }, null)).toBe(false);
});
