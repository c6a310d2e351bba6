import { z } from "zod";
import { codePoints } from "#engine/files/pythonText.ts";
import type { Question } from "./taskItem.ts";

/** What lm-eval puts between a context and a continuation (target_delimiter). */
export const DELIMITER = " ";

/** A whole number, or one written as text: labels are both, by dataset and by how it was saved. */
export const wholeNumber = z.union([
  z.number().int(),
  z
    .string()
    .regex(/^\s*-?\d+\s*$/, "is not a whole number")
    .transform(Number),
]);

/** One context, several continuations. `gold` out of range gives the reason. */
export function choiceQuestion(
  context: string,
  choices: readonly string[],
  gold: number,
  delimiter = DELIMITER,
): Question | string {
  if (choices.length < 2) return `has ${choices.length === 0 ? "no choices" : "one choice alone"}`;
  if (!(gold in choices)) return outOfRange(gold, choices.length);
  return {
    requests: choices.map((choice) => ({ context, continuation: delimiter + choice })),
    gold,
    lengths: choices.map(codePoints),
  };
}

/** Splits without answers are published with −1 or nothing in the label's place. */
export function outOfRange(label: string | number, choices: number): string {
  return label === ""
    ? "has no right choice: its label is empty"
    : `has the right choice ${label}, but its ${choices} choices are 0 to ${choices - 1}`;
}
