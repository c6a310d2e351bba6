import type { AblationRow, TaskReport } from "#shared/evaluation.ts";

/** A difference of at least so many standard errors is told from none. */
const CERTAIN = 2;

/** By what the rows of one experiment are compared; higher is better. */
export interface Metric {
  readonly by: "accuracy" | "log-likelihood";
  /** Of what tasks answered, where that cannot tell pruning's change from none; null where it can, or nothing was asked. */
  readonly tooFew: { readonly items: number; readonly change: number; readonly error: number } | null;
}

/**
 * Mean accuracy where the tasks have items enough to tell the pruned model from the original, else the log-likelihood of the text.
 * The standard error of each task's difference is Agresti and Caffo's [doi:10.1080/00031305.2000.10474560], one right and one wrong
 * answer added to both sides, so that two or three items are never certain: p̃ = (right + 1) / (n + 2), σ² = Σ p̃·(1 − p̃) / (n + 2).
 */
export function metricOf(original: AblationRow, pruned: AblationRow): Metric {
  const pairs = (original.tasks ?? []).flatMap((before, i) => {
    const after = pruned.tasks?.[i];
    return after ? [[before, after] as const] : [];
  });
  if (pairs.length === 0) return { by: "log-likelihood", tooFew: null };
  const change = pairs.reduce((sum, [a, b]) => sum + b.accuracy - a.accuracy, 0) / pairs.length;
  const shrunk = pairs.reduce((sum, [a, b]) => sum + adjusted(b) - adjusted(a), 0) / pairs.length;
  const error = Math.sqrt(pairs.reduce((sum, [a, b]) => sum + variance(a) + variance(b), 0)) / pairs.length;
  if (Math.abs(shrunk) >= CERTAIN * error) return { by: "accuracy", tooFew: null };
  return {
    by: "log-likelihood",
    tooFew: { items: pairs.reduce((sum, [{ n }]) => sum + n, 0), change, error },
  };
}

function adjusted({ correct, n }: TaskReport): number {
  return (correct + 1) / (n + 2);
}

function variance(task: TaskReport): number {
  const p = adjusted(task);
  return (p * (1 - p)) / (task.n + 2);
}

/** Of what pruning loses, the share that keeping the super activation takes back; null where it loses nothing or is not finite. */
export function recoveredShare([original, pruned, kept]: readonly (AblationRow | undefined)[]):
  number | null {
  if (!original || !pruned || !kept) return null;
  const { by } = metricOf(original, pruned);
  const [base, lost, left] = [original, pruned, kept].map((row) => valueOf(row, by));
  if (base === null || lost === null || left === null || lost >= base) return null;
  return (left - lost) / (base - lost);
}

function valueOf({ tasks = [], nll }: AblationRow, by: Metric["by"]): number | null {
  if (by === "log-likelihood") return nll === null ? null : -nll;
  return tasks.reduce((sum, { accuracy }) => sum + accuracy, 0) / tasks.length;
}
