import { z } from "zod";
import { codePoints, strip } from "#engine/files/pythonText.ts";
import { defineFormat } from "./format.ts";
import { DELIMITER, wholeNumber } from "./question.ts";

/**
 * Winogrande [arXiv:1907.10641], scored partially [arXiv:1806.02847]: each option in the blank's place begins a context of its
 * own, and what follows the blank is the continuation of both.
 */
export const winogrande = defineFormat({
  dataset: "winogrande",
  kind: "choice",
  normalised: false,
  row: z.object({
    sentence: z.string(),
    option1: z.string(),
    option2: z.string(),
    answer: z.union([z.literal(""), wholeNumber]),
  }),
  question: ({ sentence, option1, option2, answer }) => {
    const blank = sentence.indexOf("_");
    if (blank < 0) return 'has no blank ("_") in its sentence';
    if (answer !== 1 && answer !== 2) return `has the answer ${answer === "" ? '""' : answer}, not 1 or 2`;
    const continuation = DELIMITER + strip(sentence.slice(blank + 1));
    return {
      requests: [option1, option2].map((option) => ({
        context: sentence.slice(0, blank) + option,
        continuation,
      })),
      gold: answer - 1,
      lengths: [option1, option2].map((option) => codePoints(sentence.slice(0, blank) + option)),
    };
  },
});
