import { KeystoneError } from "#shared/errors.ts";
import { plural } from "#shared/format.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { SkippedRow, TaskFile, TaskItem } from "../datasets/taskItem.ts";
import { encodeRequest, type EncodedRequest } from "./encodeRequest.ts";
import { shareWindows, type SharedWindows } from "./shareWindows.ts";

/** A question brought to tokens. */
export interface PreparedItem extends SharedWindows {
  readonly item: TaskItem;
  readonly requests: readonly EncodedRequest[];
}

/** A task whose questions fit the model. */
export interface PreparedTask {
  readonly file: TaskFile;
  readonly items: readonly PreparedItem[];
  /** Rows that are no question, and questions that the model cannot be asked, in the order of their places. */
  readonly skipped: readonly SkippedRow[];
}

/** What questions are fitted to. */
export interface ModelLimits {
  readonly contextLength: number;
  /** Whether windows may branch, and how long such a window may be. */
  readonly mayBranch: boolean;
  readonly longestBranching: number;
}

/**
 * A limit counts questions before they are fitted to the model, as lm-eval's counts documents: `--limit N` is the first N of a file for
 * every model, so that figures of different models stay comparable with each other and with lm-eval's. What does not fit is listed.
 * @throws KeystoneError tasks/no-items where no question fits the model
 */
export function prepareTask(file: TaskFile, tokenizer: Tokenizer, limits: ModelLimits): PreparedTask {
  const items: PreparedItem[] = [];
  const unfit: SkippedRow[] = [];
  for (const item of file.items) {
    const encoded = item.requests.map((request) => encodeRequest(request, tokenizer, limits.contextLength));
    const reason = encoded.find((made) => typeof made === "string");
    const requests = encoded.filter((made) => typeof made !== "string");
    if (reason === undefined) {
      const shared = shareWindows(requests, limits.mayBranch, limits.longestBranching);
      items.push({ item, requests, ...shared });
    } else unfit.push({ file: item.file, line: item.line, reason });
  }
  if (items.length === 0) throw nothingFits(file, unfit[0]);
  return { file, items, skipped: inOrder(file, unfit) };
}

function inOrder(file: TaskFile, unfit: readonly SkippedRow[]): SkippedRow[] {
  const place = (row: SkippedRow): number => file.files.indexOf(row.file);
  return [...file.skipped, ...unfit].sort((a, b) => place(a) - place(b) || a.line - b.line);
}

function nothingFits(file: TaskFile, first: SkippedRow | undefined): KeystoneError {
  const asked = plural(file.items.length, "item");
  return new KeystoneError(
    "tasks/no-items",
    `${file.name} holds no task that this model can answer${file.limited ? ` in the first ${asked}, the limit that was asked for` : ""}: line ${first?.line ?? 1} ${first?.reason ?? "is empty"}.`,
    file.limited
      ? "Raise the limit, which counts items whether or not they fit, or leave it out."
      : "Check that the tasks suit the model's context and tokenizer.",
    { name: file.name },
  );
}
