import { z } from "zod";
import { strip } from "#engine/files/pythonText.ts";
import { defineFormat } from "./format.ts";
import { choiceQuestion, outOfRange, wholeNumber } from "./question.ts";

const LETTERS = ["A", "B", "C", "D"];

/**
 * MMLU [arXiv:2009.03300], and what is written like it: the choices stand in the prompt and their letters are scored. Where a
 * row names its subject, the prompt begins with a sentence about it.
 */
export const mmlu = defineFormat({
  dataset: "mmlu",
  kind: "choice",
  normalised: false,
  row: z.object({
    question: z.string(),
    choices: z.array(z.string()),
    answer: z.union([wholeNumber, z.string()]),
    subject: z.string().nullish(),
  }),
  question: ({ question, choices, answer, subject }) => {
    if (choices.length !== LETTERS.length) return `has ${choices.length} choices, not four`;
    const gold = typeof answer === "number" ? answer : LETTERS.indexOf(answer);
    if (!(gold in LETTERS)) return outOfRange(typeof answer === "string" ? `"${answer}"` : answer, 4);
    const listed = choices.map((choice, i) => `${LETTERS[i]}. ${choice}`).join("\n");
    return choiceQuestion(`${introduction(subject)}${strip(question)}\n${listed}\nAnswer:`, LETTERS, gold);
  },
});

function introduction(subject: string | null | undefined): string {
  if (!subject) return "";
  return `The following are multiple choice questions (with answers) about ${subject.replaceAll("_", " ")}.\n\n`;
}
