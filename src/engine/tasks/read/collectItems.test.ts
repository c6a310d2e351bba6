import { describe, expect, it } from "vitest";
import type { TaskFile } from "../datasets/taskItem.ts";
import { createCollector, type CollectOptions } from "./collectItems.ts";

const collected = (values: readonly unknown[], options: CollectOptions = {}): TaskFile => {
  const collector = createCollector("t", "/t.jsonl", options);
  values.every((value, i) => collector.add("t.jsonl", { line: i + 1, value }));
  return collector.finish(["t.jsonl"]);
};
const refusal = (values: readonly unknown[], options: CollectOptions = {}): unknown => {
  try {
    return collected(values, options);
  } catch (error) {
    return error;
  }
};
const choice = { context: "a", choices: [" b", " c"], gold: 1 };
const lastWord = { context: "a b", target: " c" };

describe("a collector", () => {
  it("takes the dataset from the columns, and says how it is scored", () => {
    expect(collected([lastWord])).toMatchObject({ dataset: "own", kind: "last-word", normalised: false });
    expect(collected([choice])).toMatchObject({ dataset: "own", kind: "choice", normalised: true });
    expect(collected([{ text: "a b" }])).toMatchObject({ dataset: "lambada", kind: "last-word" });
  });

  it("leaves out bad rows and says which and why", () => {
    const { items, skipped } = collected([
      choice,
      { ...choice, gold: 2 },
      { ...choice, gold: -1 },
      { ...choice, choices: ["b"], gold: 0 },
      lastWord,
      { ...choice, more: 1 },
      { question: "?" },
      ["a"],
    ]);
    expect(items).toHaveLength(1);
    expect(skipped.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
      "2 has the right choice 2, but its 2 choices are 0 to 1",
      "3 has the right choice -1, but its 2 choices are 0 to 1",
      "4 has one choice alone",
      "5 is of another kind than the rows before it (own, last-word; they are own, choice)",
      '6 does not fit its columns (unknown key "more")',
      '7 has the columns "question", which are not those of a known dataset',
      "8 is not an object with columns",
    ]);
  });

  it("lets the first good row decide, not the first", () => {
    expect(collected([{ ...choice, gold: 7 }, lastWord])).toMatchObject({ kind: "last-word" });
  });

  it("stops at a limit of items, not of rows", () => {
    const { items } = collected([{}, lastWord, lastWord, lastWord], { limit: 2 });
    expect(items.map(({ line }) => line)).toEqual([2, 3]);
  });

  it("refuses rows of another dataset than the one asked for", () => {
    expect(() => collected([lastWord], { dataset: "piqa" })).toThrow(
      't holds no task: line 1 has the columns "context", "target", which are not those of the dataset piqa.',
    );
  });

  it("names the known columns where nothing is recognised", () => {
    expect(refusal([{ question: "?" }])).toMatchObject({
      code: "tasks/unknown-columns",
      next: expect.stringContaining('piqa ("goal", "sol1", "sol2", "label")') as string,
    });
  });

  it("names the nearest dataset and what is missing of its columns", () => {
    const unlabelled = { goal: "g", sol1: "a", sol2: "b", id: 7 };
    expect(refusal([unlabelled])).toMatchObject({
      code: "tasks/unknown-columns",
      message:
        't holds no task: line 1 has the columns "goal", "sol1", "sol2", "id", which are not those of a known dataset: piqa, the nearest, also needs "label".',
      next: expect.stringMatching(/^Give each row "label" for piqa\. Known columns are own/) as string,
    });
    expect(refusal([{ question: "?", choices: [] }], { dataset: "mmlu" })).toMatchObject({
      message: expect.stringContaining('not those of the dataset mmlu, which also needs "answer".') as string,
    });
    expect(collected([lastWord, unlabelled]).skipped[0].reason).toContain('also needs "label"');
  });

  it.each([
    ["nothing", [], /^Check that it is the file you mean/],
    ["what is no object", [1, "a"], /^Write one JSON object a line/],
    ["known columns with a gold out of range", [{ ...choice, gold: 9 }], /^Its columns are known: correct/],
  ])("does not speak of columns where a file holds %s", (_what, values, next) => {
    expect(refusal(values)).toMatchObject({
      code: "tasks/no-items",
      next: expect.stringMatching(next) as string,
    });
  });

  it("refuses a file without one good row, with the first reason", () => {
    expect(() => collected([{ ...choice, gold: 9 }])).toThrow(
      "t holds no task: line 1 has the right choice 9, but its 2 choices are 0 to 1.",
    );
    expect(() => collected([])).toThrow("t holds no task: it is empty.");
  });
});
