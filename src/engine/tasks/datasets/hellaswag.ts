import { z } from "zod";
import { capitalize, strip } from "#engine/files/pythonText.ts";
import { defineFormat, type DatasetFormat } from "./format.ts";
import { choiceQuestion, outOfRange, wholeNumber } from "./question.ts";

const common = {
  activity_label: z.string(),
  endings: z.array(z.string()),
  label: z.union([z.literal(""), wholeNumber]),
};

/** HellaSwag [arXiv:1905.07830]: how a scene goes on. The second sentence's beginning belongs to the context. */
export const hellaswag: DatasetFormat = defineFormat({
  dataset: "hellaswag",
  kind: "choice",
  normalised: true,
  row: z.object({ ...common, ctx_a: z.string(), ctx_b: z.string() }),
  question: ({ ctx_a, ctx_b, ...row }) => scene(`${ctx_a} ${capitalize(ctx_b)}`, row),
});

/** The same where the two sentences were only kept joined, as they are. */
export const hellaswagJoined: DatasetFormat = defineFormat({
  dataset: "hellaswag",
  kind: "choice",
  normalised: true,
  row: z.object({ ...common, ctx: z.string() }),
  question: ({ ctx, ...row }) => scene(ctx, row),
});

function scene(
  context: string,
  { activity_label, endings, label }: { activity_label: string; endings: string[]; label: "" | number },
): ReturnType<typeof choiceQuestion> {
  if (label === "") return outOfRange(label, endings.length);
  return choiceQuestion(clean(`${activity_label}: ${context}`), endings.map(clean), label);
}

/** Takes out the marks that WikiHow's pages left in the texts. */
function clean(text: string): string {
  return strip(text)
    .replaceAll(" [title]", ". ")
    .replace(/\[[^\n]*?\]/g, "")
    .replaceAll("  ", " ");
}
