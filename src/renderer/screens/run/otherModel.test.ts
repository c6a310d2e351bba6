import { expect, it } from "vitest";
import type { RecentModel } from "#shared/contract/contract.ts";
import { modelPathOf } from "../../state/runModel.ts";
import { isOfOtherModel } from "./otherModel.ts";

const open = { summary: { path: "/a", fingerprint: "1" } };

it("a run belongs to the open model when place and checkpoint are its own", () => {
  expect(isOfOtherModel({ summary: { model: "/a", fingerprint: "1", imported: null } }, open)).toBe(false);
  expect(isOfOtherModel({ summary: { model: "/b", fingerprint: "1", imported: null } }, open)).toBe(true);
  expect(isOfOtherModel({ summary: { model: "/a", fingerprint: "2", imported: null } }, open)).toBe(true);
});

it("nothing is said while the run or the model is still read", () => {
  expect(isOfOtherModel({ summary: null }, open)).toBe(false);
  expect(isOfOtherModel({ summary: { model: "/b", fingerprint: "1", imported: null } }, null)).toBe(false);
});

const imported = { exported: "", imported: "", keystone: "1.0.0", detailsLeftOut: 0 };
const recent = (path: string, fingerprint: string, missing = false): RecentModel => ({
  ...{ path, fingerprint, missing, name: path, opened: "", parameters: 1, dtype: "F16", superWeights: null },
});

it("an imported run belongs to whatever place holds its checkpoint, and to no other", () => {
  expect(isOfOtherModel({ summary: { model: "", fingerprint: "1", imported } }, open)).toBe(false);
  expect(isOfOtherModel({ summary: { model: "", fingerprint: "2", imported } }, open)).toBe(true);
});

it("the model of an imported run is found by its fingerprint, that of another run is its own", () => {
  const known = [recent("/gone", "2", true), recent("/b", "2"), recent("/unknown", "")];
  const run = { model: "", fingerprint: "2", imported };
  expect(modelPathOf(run, open, known)).toBe("/b");
  expect(modelPathOf({ ...run, fingerprint: "1" }, open, known)).toBe("/a");
  expect(modelPathOf({ ...run, fingerprint: "3" }, open, known)).toBe(null);
  expect(modelPathOf({ model: "/own", fingerprint: "2", imported: null }, open, known)).toBe("/own");
});
