import { describe, expect, it } from "vitest";
import type { Question } from "./taskItem.ts";
import { recognise } from "./recognise.ts";

const ask = (row: Record<string, unknown>): Question | string => {
  const format = recognise(Object.keys(row));
  if (format === null) throw new Error("not recognised");
  return format.read(row);
};

const ARC = { question: "?", choices: { text: ["x", "y"], label: ["A", "B"] }, answerKey: "B" };
const SCENE = { activity_label: "Rowing", endings: ["a", "b"], label: "1" };
const BLANK = { sentence: "The _ is wet.", option1: "dog", option2: "cat", answer: "2" };
const MMLU = { question: "?", choices: ["w", "x", "y", "z"], answer: 3, subject: "high_school_biology" };

/* What the prompts are, lm-eval's own figures say (test/tasks); here is what rows may and may not hold. */
describe("what is left out, and why", () => {
  it.each([
    [
      "PIQA without an answer",
      { goal: "g", sol1: "a", sol2: "b", label: -1 },
      "has the right choice -1, but its 2 choices are 0 to 1",
    ],
    [
      "PIQA with a number for a text",
      { goal: 1, sol1: "a", sol2: "b", label: 0 },
      "does not fit its columns (goal: expected string, received number)",
    ],
    [
      "ARC with a key that labels nothing",
      { ...ARC, answerKey: "3" },
      'has the answer key "3", but its choices are A, B',
    ],
    [
      "ARC with fewer labels than choices",
      { ...ARC, choices: { text: ["x", "y"], label: ["A"] } },
      "has 2 choices, but 1 labels for them",
    ],
    [
      "HellaSwag without an answer",
      { ...SCENE, ctx_a: "a", ctx_b: "", label: "" },
      "has no right choice: its label is empty",
    ],
    [
      "HellaSwag with a label that is no number",
      { ...SCENE, ctx_a: "a", ctx_b: "", label: "x" },
      /does not fit its columns \(label/,
    ],
    ["Winogrande without a blank", { ...BLANK, sentence: "The dog" }, 'has no blank ("_") in its sentence'],
    ["Winogrande without an answer", { ...BLANK, answer: "" }, 'has the answer "", not 1 or 2'],
    ["Winogrande with a third answer", { ...BLANK, answer: 3 }, "has the answer 3, not 1 or 2"],
    ["LAMBADA without a last word", { text: "a b " }, /has no last word/],
    ["MMLU with three choices", { ...MMLU, choices: ["a", "b", "c"] }, "has 3 choices, not four"],
    [
      "MMLU with a fifth letter",
      { ...MMLU, answer: "E" },
      'has the right choice "E", but its 4 choices are 0 to 3',
    ],
    [
      "MMLU with a fifth number",
      { ...MMLU, answer: 4 },
      "has the right choice 4, but its 4 choices are 0 to 3",
    ],
  ])("%s", (_what, row, reason) => {
    const made = ask(row);
    if (typeof reason === "string") expect(made).toBe(reason);
    else expect(made).toMatch(reason);
  });
});

describe("what is read in more than one spelling", () => {
  const gold = (row: Record<string, unknown>): number | null => {
    const made = ask(row);
    if (typeof made === "string") throw new Error(made);
    return made.gold;
  };

  it("labels may be numbers or texts", () => {
    expect(gold({ goal: "g", sol1: "a", sol2: "b", label: "1" })).toBe(1);
    expect(gold({ ...SCENE, ctx_a: "a", ctx_b: "", label: 1 })).toBe(1);
    expect(gold({ ...BLANK, answer: 1 })).toBe(0);
    expect(gold({ ...MMLU, answer: "D" })).toBe(3);
    expect(gold({ ...MMLU, answer: "3" })).toBe(3);
  });

  it("HellaSwag's two sentences may be joined already", () => {
    expect(ask({ ...SCENE, ctx: "A man. he rows" })).toMatchObject({
      requests: [{ context: "Rowing: A man. he rows", continuation: " a" }, { continuation: " b" }],
    });
  });

  it("MMLU's subject may be absent or null", () => {
    const plain = { question: MMLU.question, choices: MMLU.choices, answer: MMLU.answer };
    expect(ask(plain)).toEqual(ask({ ...MMLU, subject: null }));
    expect(ask(MMLU)).not.toEqual(ask(plain));
  });
});
