import { expect, it } from "vitest";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { TaskFile, TaskItem } from "../datasets/taskItem.ts";
import { prepareTask } from "./prepareTask.ts";

/** A character a token. */
const characters: Tokenizer = {
  encode: (text) => Array.from(text, (it) => it.charCodeAt(0)),
  decode: (ids) => String.fromCharCode(...ids),
  tokenText: (id) => String.fromCharCode(id),
  bos: 1,
  eos: 2,
  prefix: 1,
};
const LIMITS = { contextLength: 4, mayBranch: false, longestBranching: Infinity };
const item = (line: number, continuation: string): TaskItem => ({
  requests: [{ context: "a", continuation }],
  gold: null,
  lengths: [continuation.length],
  file: "t.jsonl",
  line,
});
const file = (items: readonly TaskItem[], limited: boolean): TaskFile => ({
  name: "t",
  path: "/t.jsonl",
  files: ["t.jsonl"],
  dataset: "own",
  kind: "last-word",
  normalised: false,
  items,
  skipped: [],
  limited,
});
const tooLong = item(1, "bcdefghi");

it("names the limit where nothing of what it left fits the model", () => {
  expect(() => prepareTask(file([tooLong], true), characters, LIMITS)).toThrow(
    expect.objectContaining({
      code: "tasks/no-items",
      message: expect.stringMatching(/can answer in the first 1 item, the limit .*: line 1 /) as string,
      next: expect.stringMatching(/^Raise the limit/) as string,
    }) as Error,
  );
  expect(() => prepareTask(file([tooLong], false), characters, LIMITS)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining("limit") as string }) as Error,
  );
});

it("lists what does not fit and keeps the rest of the first items, as many as they are", () => {
  const prepared = prepareTask(file([tooLong, item(2, "bc")], true), characters, LIMITS);
  expect(prepared.items.map(({ item: { line } }) => line)).toEqual([2]);
  expect(prepared.skipped.map(({ line }) => line)).toEqual([1]);
});
