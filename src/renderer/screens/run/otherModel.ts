import type { RunSummary } from "#shared/run.ts";

/**
 * Whether a run was scored in another checkpoint than the one that is open: by place, and by what lies there. An imported run has no
 * place here and is known by what it was scored in alone.
 */
export function isOfOtherModel(
  run: { readonly summary: Pick<RunSummary, "model" | "fingerprint" | "imported"> | null },
  open: { readonly summary: { readonly path: string; readonly fingerprint: string } } | null,
): boolean {
  if (run.summary === null || open === null) return false;
  const { model, fingerprint, imported } = run.summary;
  const elsewhere = imported === null && model !== open.summary.path;
  return elsewhere || (fingerprint !== undefined && fingerprint !== open.summary.fingerprint);
}
