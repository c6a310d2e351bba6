import type { LabReport, LabRequest } from "#shared/lab/index.ts";
import type { Lab } from "../../state/lab.svelte.ts";
import type { Shown } from "./labView.svelte.ts";

/** What the JSON file of a result holds: what was asked, where it is kept, and the whole report. */
export function savedOf(
  lab: Pick<Lab, "results">,
  shown: Shown | null,
): { request?: LabRequest; created?: string; report: LabReport } | null {
  if (!shown) return null;
  const result = shown.kept && lab.results.get(shown.kept.id);
  return result
    ? { created: result.summary.created, request: result.request, report: shown.report }
    : { report: shown.report };
}
