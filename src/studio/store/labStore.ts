import { EARLIER } from "#shared/notes.ts";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import {
  experimentName,
  labReport,
  labRequest,
  type ExperimentName,
  type LabReport,
  type LabRequest,
  type LabResult,
  type LabSummary,
} from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { describeIssues } from "#shared/plan.ts";

const row = z.object({
  id: z.string(),
  experiment: experimentName,
  model: z.string(),
  model_name: z.string(),
  fingerprint: z.string(),
  created: z.string(),
  seconds: z.number(),
  finding: z.string(),
  /** Of a report of an earlier version: null. */
  finding_code: z.string().nullable().optional(),
  /** Of a report that says nothing of it: null. */
  cancelled: z.number().nullable().optional(),
  failed: z.string().nullable().optional(),
});

const SUMMARY = "id, experiment, model, model_name, fingerprint, created, seconds, finding";

/** Also what its finding is about, and whether it was cancelled or failed on its way, as its report says; the column holds the finding's sentence. */
const LISTED = `${SUMMARY}, json_extract(report, '$.cancelled') AS cancelled, json_extract(report, '$.failed') AS failed,
  json_extract(report, '$.finding.code') AS finding_code`;

/** Finished experiments, and what cancelled and failed ones had measured, each whole: what was asked, and what came of it. */
export class LabStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @throws KeystoneError lab/unreadable-report: what could not be read again is not kept */
  save(id: string, request: LabRequest, found: LabReport): LabSummary {
    const report = readable(found);
    const created = new Date().toISOString();
    const { experiment, model, modelName, fingerprint, seconds, finding } = report;
    this.#database
      .prepare(`INSERT INTO lab_results (${SUMMARY}, request, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(
        id,
        experiment,
        model,
        modelName,
        fingerprint,
        created,
        seconds,
        finding.text,
        JSON.stringify(request),
        JSON.stringify(report),
      );
    const { cancelled, failed } = report;
    return {
      ...{ id, experiment, model, modelName, fingerprint, created, seconds, finding },
      ...{ cancelled, failed: failed !== null },
    };
  }

  /** Newest first. */
  list(of: { fingerprint?: string | undefined; experiment?: ExperimentName | undefined } = {}): LabSummary[] {
    const rows = this.#database
      .prepare(
        `SELECT ${LISTED} FROM lab_results
         WHERE (?1 IS NULL OR fingerprint = ?1) AND (?2 IS NULL OR experiment = ?2)
         ORDER BY created DESC, rowid DESC`,
      )
      .all(of.fingerprint ?? null, of.experiment ?? null);
    return rows.map(summaryOf);
  }

  /** @throws KeystoneError lab/unknown, lab/other-version */
  get(id: string): LabResult {
    const found = this.#database.prepare("SELECT * FROM lab_results WHERE id = ?").get(id);
    if (!found) throw unknownResult(id);
    const request = labRequest.safeParse(JSON.parse(String(found["request"])));
    const report = labReport.safeParse(JSON.parse(String(found["report"])));
    if (request.success && report.success) {
      const { finding, cancelled, failed } = report.data;
      const summary = { ...summaryOf(found), finding, cancelled, failed: failed !== null };
      return { summary, request: request.data, report: report.data };
    }
    throw new KeystoneError(
      "lab/other-version",
      `The experiment ${id} was kept by another version of Keystone, and this one cannot read it.`,
      "Run the experiment again, or delete it.",
      { id },
    );
  }

  /** @throws KeystoneError lab/unknown */
  delete(id: string): void {
    if (this.#database.prepare("DELETE FROM lab_results WHERE id = ?").run(id).changes === 0)
      throw unknownResult(id);
  }
}

/** The report as it is read again: JSON has no NaN, and what came from a worker was never checked. */
function readable(report: LabReport): LabReport {
  const read = labReport.safeParse(report);
  if (read.success) return read.data;
  const { experiment } = report;
  const { title } = EXPERIMENTS[experiment];
  throw new KeystoneError(
    "lab/unreadable-report",
    `${title} came to a result that cannot be kept: ${describeIssues(read.error.issues)}.`,
    "Run it on a longer text or on other prompts; if it stays, report it with the steps that led here.",
    { experiment },
  );
}

function summaryOf(found: unknown): LabSummary {
  const {
    model_name: modelName,
    cancelled,
    failed,
    finding: text,
    finding_code: code,
    ...rest
  } = row.parse(found);
  const finding = { code: code ?? EARLIER, text };
  return { ...rest, finding, modelName, cancelled: cancelled === 1, failed: typeof failed === "string" };
}

function unknownResult(id: string): KeystoneError {
  return new KeystoneError(
    "lab/unknown",
    `There is no kept experiment ${id}.`,
    "List the kept experiments to find its id.",
    { id },
  );
}
