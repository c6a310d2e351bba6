import { z } from "zod";
import { codePoints } from "#engine/files/pythonText.ts";
import { defineFormat } from "./format.ts";
import { DELIMITER } from "./question.ts";

/** LAMBADA as OpenAI published it [arXiv:1606.06031]: the last word of a passage. Words end at single spaces. */
export const lambada = defineFormat({
  dataset: "lambada",
  kind: "last-word",
  normalised: false,
  row: z.object({ text: z.string() }),
  question: ({ text }) => {
    const words = text.split(" ");
    const last = words.pop() ?? "";
    if (last === "") return "has no last word: its text is empty or ends with a space";
    return {
      requests: [{ context: words.join(" "), continuation: DELIMITER + last }],
      gold: null,
      lengths: [codePoints(last)],
    };
  },
});
