import type { RunStatus, RunSummary, VariantResult } from "#shared/run.ts";
import { ownerLives } from "./owner.ts";
import type { SummaryRow } from "./rows.ts";
import { waitingAgain } from "./variantRows.ts";

const LIVE: readonly RunStatus[] = ["waiting", "running", "paused"];

/** Whether a studio executes the run, or has it in its queue. */
export function isLive(row: SummaryRow): boolean {
  return LIVE.includes(statusOf(row));
}

/** In a run that nobody executes, nothing is running. */
export function stopped(result: VariantResult): VariantResult {
  return result.status === "running" ? waitingAgain(result) : result;
}

/** A run whose studio is gone without having ended it is interrupted. */
export function statusOf(row: SummaryRow): RunStatus {
  if (!LIVE.includes(row.status)) return row.status;
  const { owner_process: process, owner_host: host, heartbeat } = row;
  if (process === null || host === null || heartbeat === null) return "interrupted";
  return ownerLives({ process, host, heartbeat }) ? row.status : "interrupted";
}

export function summaryOf(row: SummaryRow): RunSummary {
  const { id, name, note, edits, imported, model, model_name: modelName, fingerprint } = row;
  const { created, updated, done, failed, total, best } = row;
  const known = { id, name, note, edits, imported, model, modelName, fingerprint, created, updated };
  return { ...known, status: statusOf(row), done, failed, total, best };
}
