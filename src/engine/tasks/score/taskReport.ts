import type { TaskItemReport, TaskReport } from "#shared/evaluation.ts";
import { orNull } from "#shared/numbers.ts";
import type { PreparedTask } from "./prepareTask.ts";

/** What a model said to one request. */
export interface Answer {
  /** Sum over the continuation's tokens, nats. */
  readonly logLikelihood: number;
  /** Whether every one of its tokens is the most likely. */
  readonly greedy: boolean;
}

/**
 * The figures of one task from the answers to its questions, as lm-eval computes them: acc, acc_norm, their standard errors
 * and, where each question has one continuation, perplexity.
 * @param answers one list a question, one answer a request
 * @param withItems whether every question's own figures are listed too
 */
export function taskReport(
  { file, items, skipped }: PreparedTask,
  answers: readonly (readonly Answer[])[],
  withItems: boolean,
): TaskReport {
  const judged = items.map(({ item }, i) => judge(answers[i], item.gold, item.lengths));
  const correct = judged.filter(({ right }) => right).length;
  const normed = file.normalised ? judged.filter(({ rightNorm }) => rightNorm).length : null;
  const norm = normed === null ? null : proportion(normed, items.length);
  return {
    name: file.name,
    path: file.path,
    files: [...file.files],
    dataset: file.dataset,
    kind: file.kind,
    n: items.length,
    correct,
    ...proportion(correct, items.length),
    accuracyNorm: norm?.accuracy ?? null,
    stderrNorm: norm?.stderr ?? null,
    ...(file.kind === "last-word" ? perplexity(answers) : { perplexity: null }),
    truncated: items.filter(({ requests }) => requests.some(({ truncated }) => truncated)).length,
    skipped: skipped.map((row) => ({ ...row })),
    ...(withItems
      ? { items: items.map((_, i) => itemReport(items[i], answers[i], judged[i], file.normalised)) }
      : {}),
  };
}

interface Judged {
  readonly right: boolean;
  /** By log-likelihood per character of the choice. */
  readonly rightNorm: boolean;
}

function judge(answers: readonly Answer[], gold: number | null, lengths: readonly number[]): Judged {
  if (gold === null) {
    const right = answers.every(({ greedy }) => greedy);
    return { right, rightNorm: right };
  }
  const totals = answers.map(({ logLikelihood }) => logLikelihood);
  return {
    right: greatest(totals) === gold,
    rightNorm: greatest(totals.map((total, i) => total / lengths[i])) === gold,
  };
}

function itemReport(
  { item, requests }: PreparedTask["items"][number],
  answers: readonly Answer[],
  { right, rightNorm }: Judged,
  normalised: boolean,
): TaskItemReport {
  return {
    file: item.file,
    line: item.line,
    logLikelihoods: answers.map(({ logLikelihood }) => orNull(logLikelihood)),
    tokens: requests.map(({ labels }) => labels.length),
    gold: item.gold,
    right,
    rightNorm: normalised ? rightNorm : null,
    truncated: requests.some(({ truncated }) => truncated),
  };
}

/** Index of the greatest, the first of equals; −1 where one is not a number. */
function greatest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** Accuracy and its standard error, √(p(1 − p)/(n − 1)): the sample standard deviation over √n; one item has none. */
function proportion(correct: number, n: number): { accuracy: number; stderr: number | null } {
  const accuracy = correct / n;
  return { accuracy, stderr: n > 1 ? Math.sqrt((accuracy * (1 - accuracy)) / (n - 1)) : null };
}

/** exp of the mean negative log-likelihood of a whole continuation (a word, not a token). */
function perplexity(answers: readonly (readonly Answer[])[]): Pick<TaskReport, "perplexity" | "notFinite"> {
  const total = answers.reduce((sum, [{ logLikelihood }]) => sum + logLikelihood, 0);
  const value = orNull(Math.exp(-total / answers.length));
  return { perplexity: value, ...(value === null ? { notFinite: true } : {}) };
}
