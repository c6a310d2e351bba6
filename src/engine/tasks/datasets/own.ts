import { z } from "zod";
import { codePoints } from "#engine/files/pythonText.ts";
import { defineFormat } from "./format.ts";
import { choiceQuestion } from "./question.ts";

/** Keystone's own: texts as they are, nothing put between them. */
export const ownLastWord = defineFormat({
  dataset: "own",
  kind: "last-word",
  normalised: false,
  row: z.strictObject({ context: z.string(), target: z.string().min(1) }),
  question: ({ context, target }) => ({
    requests: [{ context, continuation: target }],
    gold: null,
    lengths: [codePoints(target)],
  }),
});

export const ownChoice = defineFormat({
  dataset: "own",
  kind: "choice",
  normalised: true,
  row: z.strictObject({
    context: z.string(),
    choices: z.array(z.string().min(1)),
    gold: z.number().int(),
  }),
  question: ({ context, choices, gold }) => choiceQuestion(context, choices, gold, ""),
});
