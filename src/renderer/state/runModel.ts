import type { RecentModel } from "#shared/contract/contract.ts";
import type { RunSummary } from "#shared/run.ts";

/**
 * Where a run's model lies: its own path, or for an imported run the open model's or that of one opened before, if it is the
 * same checkpoint; null where none is known.
 */
export function modelPathOf(
  run: Pick<RunSummary, "model" | "fingerprint" | "imported">,
  open: { readonly summary: { readonly path: string; readonly fingerprint: string } } | null,
  recent: readonly RecentModel[],
): string | null {
  if (run.imported === null) return run.model;
  if (open !== null && open.summary.fingerprint === run.fingerprint) return open.summary.path;
  return recent.find((model) => !model.missing && model.fingerprint === run.fingerprint)?.path ?? null;
}
