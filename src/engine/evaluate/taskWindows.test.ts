import { describe, expect, it } from "vitest";
import type { Tokenizer } from "../checkpoint/types.ts";
import { taskWindow, type TaskWindow } from "./taskWindows.ts";

const characters = (bos: number | null, eos: number | null = 2): Tokenizer => ({
  encode: (text) => Array.from(text, (c) => c.charCodeAt(0)),
  decode: String,
  tokenText: String,
  bos,
  eos,
});
const shown = (made: TaskWindow | string): string => {
  if (typeof made === "string") throw new Error(made);
  const text = (ids: Iterable<number>): string =>
    Array.from(ids, (id) => (id < 0 ? "." : id === 1 ? "^" : id === 2 ? "$" : String.fromCharCode(id))).join(
      "",
    );
  return `${text(made.window.ids)}>${text(made.window.labels)}`;
};

describe("taskWindow", () => {
  it("scores the continuation alone, after BOS and context", () => {
    expect(shown(taskWindow("ab", "cd", characters(1), 16))).toBe("^abc>..cd");
  });

  it("moves spaces at the context's end into the continuation", () => {
    expect(shown(taskWindow("ab ", "c", characters(null), 16))).toBe("ab >. c");
  });

  it("cuts a context that is too long on the left, and says so", () => {
    const made = taskWindow("abcdef", "xy", characters(1), 4);
    expect(shown(made)).toBe("defx>..xy");
    expect(made).toMatchObject({ truncated: true, scored: 2 });
    expect(taskWindow("ab", "xy", characters(1), 4)).toMatchObject({ truncated: false });
  });

  it("begins an empty context with BOS, or EOS where there is none", () => {
    expect(shown(taskWindow("", "ab", characters(1), 16))).toBe("^a>ab");
    expect(shown(taskWindow("", "ab", characters(null), 16))).toBe("$a>ab");
    expect(taskWindow("", "ab", characters(null, null), 16)).toContain("neither BOS nor EOS");
  });

  it("gives the reason where nothing can be predicted", () => {
    expect(taskWindow("ab", "", characters(1), 16)).toContain("adds no token");
    expect(taskWindow("ab", "abcdefgh", characters(1), 4)).toContain("8 tokens; the model has 4 positions");
  });
});
