import { describe, expect, it } from "vitest";
import { parseTasks } from "./taskFile.ts";

const lines = (...items: unknown[]): string =>
  items.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join("\n");

describe("parseTasks", () => {
  it("reads last-word items", () => {
    const file = parseTasks(
      lines({ context: "a b", target: " c" }, "", { context: "", target: "d" }),
      "t.jsonl",
    );
    expect(file).toEqual({
      name: "t.jsonl",
      kind: "last-word",
      skipped: [],
      items: [
        { context: "a b", target: " c", line: 1 },
        { context: "", target: "d", line: 3 },
      ],
    });
  });

  it("reads choice items", () => {
    expect(parseTasks(lines({ context: "a", choices: [" b", " c"], gold: 1 }), "t").kind).toBe("choice");
  });

  it("leaves out bad lines and says which and why", () => {
    const good = { context: "a", choices: ["b", "c"], gold: 0 };
    const file = parseTasks(
      lines(
        good,
        "{",
        { ...good, gold: 2 },
        { ...good, choices: ["b"] },
        { context: "a", target: "b" },
        { ...good, more: 1 },
      ),
      "t",
    );
    expect(file.items).toHaveLength(1);
    expect(file.skipped.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6]);
    expect(file.skipped[0].reason).toBe("is not valid JSON");
    expect(file.skipped[1].reason).toContain("gold: is not the index of a choice");
    expect(file.skipped[3].reason).toContain("another kind");
  });

  it("refuses a file without one good line, with the first reason", () => {
    expect(() => parseTasks("nonsense", "t.jsonl")).toThrow(
      "t.jsonl holds no task: line 1 is not valid JSON.",
    );
    expect(() => parseTasks("\n\n", "t.jsonl")).toThrow("t.jsonl holds no task: it is empty.");
  });
});
