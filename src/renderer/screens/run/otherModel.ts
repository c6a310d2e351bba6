import type { RunSummary } from "#shared/run.ts";

/** Whether a run was scored in another checkpoint than the one that is open: by place, and by what lies there. */
export function isOfOtherModel(
  run: { readonly summary: Pick<RunSummary, "model" | "fingerprint"> | null },
  open: { readonly summary: { readonly path: string; readonly fingerprint: string } } | null,
): boolean {
  if (run.summary === null || open === null) return false;
  const { model, fingerprint } = run.summary;
  return (
    model !== open.summary.path || (fingerprint !== undefined && fingerprint !== open.summary.fingerprint)
  );
}
