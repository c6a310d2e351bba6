import { z } from "zod";
import { defineFormat } from "./format.ts";
import { choiceQuestion, wholeNumber } from "./question.ts";

/** PIQA [arXiv:1911.11641]: a goal and two ways to reach it. */
export const piqa = defineFormat({
  dataset: "piqa",
  kind: "choice",
  normalised: true,
  row: z.object({ goal: z.string(), sol1: z.string(), sol2: z.string(), label: wholeNumber }),
  question: ({ goal, sol1, sol2, label }) =>
    choiceQuestion(`Question: ${goal}\nAnswer:`, [sol1, sol2], label),
});
