import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";

const lastWordItem = z.strictObject({ context: z.string(), target: z.string().min(1) });
const choiceItem = z
  .strictObject({
    context: z.string(),
    choices: z.array(z.string().min(1)).min(2),
    gold: z.number().int().nonnegative(),
  })
  .refine((item) => item.gold < item.choices.length, {
    path: ["gold"],
    message: "is not the index of a choice",
  });

export interface LastWordItem extends z.infer<typeof lastWordItem> {
  readonly line: number;
}
export interface ChoiceItem extends z.infer<typeof choiceItem> {
  readonly line: number;
}

/** A line that was left out, and why. */
export interface SkippedLine {
  readonly line: number;
  readonly reason: string;
}

/** The items of one task file; all are of the kind of its first good line. */
export type TaskFile = { readonly name: string; readonly skipped: readonly SkippedLine[] } & (
  | { readonly kind: "last-word"; readonly items: readonly LastWordItem[] }
  | { readonly kind: "choice"; readonly items: readonly ChoiceItem[] }
);

/**
 * Reads a task file: one JSON object a line, `context` with `target`, or `context` with `choices` and `gold` (counted from 0).
 * A line that is neither is left out and reported.
 * @param name shown in results and errors, e.g. the file's name
 * @throws KeystoneError tasks/no-items where no line is good, with the first line's reason
 */
export function parseTasks(text: string, name: string): TaskFile {
  const skipped: SkippedLine[] = [];
  const lastWord: LastWordItem[] = [];
  const choice: ChoiceItem[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const line = index + 1;
    const read = readLine(content);
    if (typeof read === "string") skipped.push({ line, reason: read });
    else if ("target" in read && choice.length === 0) lastWord.push({ ...read, line });
    else if ("choices" in read && lastWord.length === 0) choice.push({ ...read, line });
    else
      skipped.push({
        line,
        reason: `is of another kind than the lines before it (${lastWord.length > 0 ? "target" : "choices"})`,
      });
  }
  if (lastWord.length > 0) return { name, kind: "last-word", items: lastWord, skipped };
  if (choice.length > 0) return { name, kind: "choice", items: choice, skipped };
  const why = skipped[0] ? `line ${skipped[0].line} ${skipped[0].reason}` : "it is empty";
  throw new KeystoneError(
    "tasks/no-items",
    `${name} holds no task: ${why}.`,
    'Write one JSON object a line: { "context", "target" } or { "context", "choices", "gold" }.',
    { name, line: skipped[0]?.line ?? null },
  );
}

/** One line's item, or the reason why it is none. */
function readLine(content: string): z.infer<typeof lastWordItem> | z.infer<typeof choiceItem> | string {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return "is not valid JSON";
  }
  const isChoice = typeof value === "object" && value !== null && "choices" in value;
  const parsed = isChoice ? choiceItem.safeParse(value) : lastWordItem.safeParse(value);
  return parsed.success ? parsed.data : `is not a task (${describeIssues(parsed.error.issues)})`;
}
