import { expect, it } from "vitest";
import {
  inventoryCounts,
  inventorySentence,
  namesInLine,
  unusedGroups,
  type Inventory,
} from "./inventory.ts";

const derived = { code: "derived", text: "computed from the config" };
const ENTRIES: Inventory = [
  { name: "model.norm.weight", kind: "tensor", usedBy: "the final norm" },
  { name: "a.inv_freq", kind: "tensor", notUsedBecause: derived },
  {
    name: "use_cache",
    kind: "config",
    notUsedBecause: { code: "runtime", text: "a setting of other programs" },
  },
  { name: "b.inv_freq", kind: "tensor", notUsedBecause: derived },
];

it("gathers what is not used by kind and reason", () => {
  expect(unusedGroups(ENTRIES)).toEqual([
    { ...derived, kind: "tensor", names: ["a.inv_freq", "b.inv_freq"] },
    { code: "runtime", text: "a setting of other programs", kind: "config", names: ["use_cache"] },
  ]);
});

it("counts the used and the unused of a kind", () => {
  expect(inventoryCounts(ENTRIES, "tensor")).toEqual({ used: 1, unused: 2 });
  expect(inventoryCounts(ENTRIES, "file")).toEqual({ used: 0, unused: 0 });
});

it("says in one sentence what is used of each kind", () => {
  expect(inventorySentence(ENTRIES)).toBe("1 of 3 tensors and 0 of 1 config field used");
  expect(inventorySentence(ENTRIES.slice(0, 1))).toBe("all of 1 tensor used");
});

it("names the first of many", () => {
  expect(namesInLine({ names: ["a", "b", "c", "d", "e"] }, 2)).toBe("a, b and 3 more");
});
