import { z } from "zod";
import { defineFormat } from "./format.ts";
import { choiceQuestion } from "./question.ts";

/** ARC, easy and challenge [arXiv:1803.05457]: school questions; their choices are labelled A to E or 1 to 5. */
export const arc = defineFormat({
  dataset: "arc",
  kind: "choice",
  normalised: true,
  row: z.object({
    question: z.string(),
    choices: z.object({ text: z.array(z.string()), label: z.array(z.string()) }),
    answerKey: z.string(),
  }),
  question: ({ question, choices, answerKey }) => {
    const { text, label } = choices;
    if (text.length !== label.length)
      return `has ${text.length} choices, but ${label.length} labels for them`;
    if (!label.includes(answerKey))
      return `has the answer key "${answerKey}", but its choices are ${label.join(", ")}`;
    return choiceQuestion(`Question: ${question}\nAnswer:`, text, label.indexOf(answerKey));
  },
});
