import { z } from "zod";
import { stripStart } from "#engine/files/pythonText.ts";
import { defineFormat } from "./format.ts";
import { choiceQuestion } from "./question.ts";

/** SciQ [arXiv:1707.06209]: science questions with a supporting paragraph, which may be empty. */
export const sciq = defineFormat({
  dataset: "sciq",
  kind: "choice",
  normalised: true,
  row: z.object({
    question: z.string(),
    support: z.string(),
    distractor1: z.string(),
    distractor2: z.string(),
    distractor3: z.string(),
    correct_answer: z.string(),
  }),
  question: (row) =>
    choiceQuestion(
      `${stripStart(row.support)}\nQuestion: ${row.question}\nAnswer:`,
      [row.distractor1, row.distractor2, row.distractor3, row.correct_answer],
      3,
    ),
});
