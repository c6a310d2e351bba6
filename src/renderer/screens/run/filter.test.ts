import { describe, expect, it } from "vitest";
import { readFilter } from "./filter.ts";
import { testResult } from "./testResult.ts";

const context = { baselinePerplexity: 10, isPinned: (id: string) => id === plain.id, isOnFront: () => false };
const plain = testResult({ bits: 4 }, { perplexity: 12 });
const restored = testResult(
  { bits: 3, granularity: "flat:16384", range: { method: "zscore", threshold: 9 }, restore: "super-weights" },
  { klMean: 0.5 },
);
const heldOut = testResult({ bits: 3, restore: "super-weights", excludeFromRange: true });
const failed = testResult(
  { scheme: "nf4", granularity: "tensor" },
  { status: "failed", perplexity: null, kl: null },
);
const all = [plain, restored, heldOut, failed];
const matching = (text: string): string[] => all.filter(readFilter(text, context).test).map(({ id }) => id);

describe("the results' filter", () => {
  it("lets everything through when it is empty", () => expect(matching(" , ")).toHaveLength(4));
  it("takes terms together", () => expect(matching("bits = 3, restored")).toEqual([restored.id]));
  it("compares numbers both ways", () => {
    expect(matching("bits < 4")).toEqual([restored.id, heldOut.id]);
    expect(matching("kl >= 0.5")).toEqual([restored.id]);
    expect(matching("delta <= 2, bits ≠ 3")).toEqual([plain.id]);
  });
  it("reads blocks by size, with a comma of thousands, or by word", () => {
    expect(matching("block = 16,384")).toEqual([restored.id]);
    expect(matching("block = tensor")).toEqual([failed.id]);
  });
  it("tells no clipping from a threshold", () => {
    expect(matching("clip = none")).toHaveLength(3);
    expect(matching("clip = z 9")).toEqual([restored.id]);
  });
  it("knows states, arms and picks", () => {
    expect(matching("failed")).toEqual([failed.id]);
    expect(matching("held out")).toEqual([heldOut.id]);
    expect(matching("not restored, done")).toEqual([plain.id]);
    expect(matching("pinned")).toEqual([plain.id]);
  });
  it("looks for other words in the label", () => expect(matching("flat 16,384")).toEqual([restored.id]));
  it("names a field it does not know and passes over it", () => {
    const filter = readFilter("size < 3, bits = 4", context);
    expect(filter.unknown).toEqual(["size"]);
    expect(all.filter(filter.test)).toEqual([plain, failed]);
  });
  it("does not match a missing number", () => expect(matching("perplexity < 1000, failed")).toEqual([]));
});
