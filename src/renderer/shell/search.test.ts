import { describe, expect, it } from "vitest";
import { highlight, search, type Entry } from "./search.ts";

const nothing = (): void => undefined;
const entries: Entry[] = [
  { id: "1", group: "Tensors", label: "layers.1.mlp.down_proj", run: nothing },
  { id: "2", group: "Commands", label: "Find super weights", run: nothing },
  { id: "3", group: "Commands", label: "Super weights", run: nothing },
  { id: "4", group: "Variants", label: "int4, group 64, super weights restored", run: nothing },
];
const ids = (query: string): string[] => search(entries, query).map((entry) => entry.id);

describe("the palette's search", () => {
  it("wants every word and puts what begins with the query first", () => {
    expect(ids("super")).toEqual(["3", "2", "4"]);
    expect(ids("weights find")).toEqual(["2"]);
    expect(ids("nowhere")).toEqual([]);
  });
  it("narrows to commands, tensors and variants by prefix", () => {
    expect(ids(">super")).toEqual(["3", "2"]);
    expect(ids("#down")).toEqual(["1"]);
    expect(ids("@")).toEqual(["4"]);
  });
  it("leaves tensors out until something is typed", () => {
    expect(ids("")).not.toContain("1");
    expect(ids("mlp")).toEqual(["1"]);
  });
  it("marks the letters that match", () => {
    expect(highlight("Find super weights", ">super")).toEqual([
      { text: "Find ", hit: false },
      { text: "super", hit: true },
      { text: " weights", hit: false },
    ]);
  });
});
