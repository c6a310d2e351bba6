import fc from "fast-check";
import { basename, extname } from "node:path";
import { describe, expect, it } from "vitest";
import { distinctNames } from "./distinctNames.ts";

const namesOf = (...paths: string[]): string[] =>
  distinctNames(paths.map((path) => ({ path, name: basename(path, extname(path)) })));

describe("names of task files", () => {
  it("are those of the files where no two are the same", () => {
    expect(namesOf("/a/piqa.jsonl", "/b/arc.jsonl")).toEqual(["piqa", "arc"]);
  });

  it("are led by as many folders as tell equal ones apart, and the others stay", () => {
    expect(namesOf("/t/piqa/validation.jsonl", "/t/arc.jsonl", "/t/own/validation.jsonl")).toEqual([
      "piqa/validation",
      "arc",
      "own/validation",
    ]);
    expect(namesOf("/a/data/test.jsonl", "/b/data/test.jsonl", "/b/more/test.jsonl")).toEqual([
      "a/data/test",
      "b/data/test",
      "more/test",
    ]);
  });

  it("are numbered where the same file is read again, or two differ by their endings alone", () => {
    expect(namesOf("/a/test.jsonl", "/a/test.jsonl", "/a/test.json")).toEqual([
      "a/test",
      "a/test (2)",
      "a/test (3)",
    ]);
  });

  it("never repeat, whatever the paths", () => {
    const part = fc.constantFrom("a", "b", "a (2)", "a.jsonl");
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
    fc.assert(
      fc.property(fc.array(path, { maxLength: 6 }), (paths) => {
        expect(new Set(namesOf(...paths)).size).toBe(paths.length);
      }),
    );
  });
});
