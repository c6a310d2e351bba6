import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { KeystoneError } from "#shared/errors.ts";
import { paretoFront, rankVariants } from "#shared/ranking.ts";
import {
  variantDetail,
  type RunDetail,
  type RunStatus,
  type RunSummary,
  type VariantDetail,
  type VariantResult,
} from "#shared/run.ts";
import type { Lease } from "./leases.ts";
import { insertRun, type NewRun } from "./newRun.ts";
import { inTransaction } from "./openDatabase.ts";
import type { Owner } from "./owner.ts";
import { rankedKl, runRow, SUMMARY_COLUMNS, summaryRow, variantRow, type RunRow } from "./rows.ts";
import { factColumns, type RunFacts } from "./runFacts.ts";
import { isLive, statusOf, stopped, summaryOf } from "./runViews.ts";
import { waitingAgain } from "./variantRows.ts";

/** Runs and their variants. Every write is one transaction, so a crash leaves whole rows only. */
export class RunStore {
  readonly #database: DatabaseSync;
  readonly #owner: Owner;

  constructor(database: DatabaseSync, owner: Owner) {
    this.#database = database;
    this.#owner = owner;
  }

  /** Writes a run with its waiting variants; it belongs to this studio. */
  create(run: NewRun): void {
    insertRun(this.#database, run, this.#owner);
  }

  list(): RunSummary[] {
    const rows = this.#database
      .prepare(`SELECT ${SUMMARY_COLUMNS} FROM runs ORDER BY created DESC, rowid DESC`)
      .all();
    return rows.map((row) => summaryOf(summaryRow.parse(row)));
  }

  summary(id: string): RunSummary {
    return summaryOf(this.row(id));
  }

  /** @throws KeystoneError run/unknown */
  row(id: string): RunRow {
    const row = this.#database.prepare(`SELECT ${SUMMARY_COLUMNS} FROM runs WHERE id = ?`).get(id);
    if (!row)
      throw new KeystoneError(
        "run/unknown",
        `There is no run ${id} in this run store.`,
        "List the runs to find its id.",
        { run: id },
      );
    return runRow.parse(row);
  }

  detail(id: string): RunDetail {
    const row = this.row(id);
    const results = this.results(id);
    const ranking = rankVariants(results);
    return {
      summary: summaryOf(row),
      judge: row.judge,
      text: row.text,
      textHash: row.text_hash,
      calibration: row.calibration,
      calibrationHash: row.calibration_hash,
      convention: row.convention,
      baseline: row.baseline,
      superWeights: row.super_weights,
      results: isLive(row) ? results : results.map(stopped),
      best: ranking.best,
      ranking,
      pareto: paretoFront(results),
      workers: row.workers,
      threadsPerWorker: row.threads,
      device: row.device,
      seconds: row.seconds,
      notes: row.notes,
    };
  }

  /** All variants in the plan's order. */
  results(id: string): VariantResult[] {
    const rows = this.#database
      .prepare("SELECT result FROM variants WHERE run = ? ORDER BY position")
      .all(id);
    return rows.map((row) => variantRow.parse(row).result);
  }

  /** Variants that wait, in the order to run them. */
  waiting(id: string): VariantResult[] {
    const rows = this.#database
      .prepare("SELECT result FROM variants WHERE run = ? AND status = 'waiting' ORDER BY turn")
      .all(id);
    return rows.map((row) => variantRow.parse(row).result);
  }

  /** @throws KeystoneError run/no-detail */
  variantDetail(run: string, variant: string): VariantDetail {
    const row = this.#database
      .prepare("SELECT detail FROM variant_details WHERE run = ? AND id = ?")
      .get(run, variant);
    if (!row) {
      throw new KeystoneError(
        "run/no-detail",
        `Run ${run} has no finished variant ${variant}.`,
        "Wait until the variant is done.",
        { run, variant },
      );
    }
    return variantDetail.parse(JSON.parse(String(row["detail"])));
  }

  /** Details of every variant that has some, in the plan's order; read one by one. */
  *variantDetails(run: string): Generator<VariantDetail> {
    const rows = this.#database
      .prepare(
        `SELECT d.detail FROM variant_details d JOIN variants v ON v.run = d.run AND v.id = d.id
         WHERE d.run = ? AND v.status = 'done' ORDER BY v.position`,
      )
      .iterate(run);
    for (const row of rows) yield variantDetail.parse(JSON.parse(String(row["detail"])));
  }

  /** @throws KeystoneError run/in-use */
  delete(id: string): void {
    this.#refuseLive(this.row(id), "deleted", "Cancel it first.");
    this.#run("DELETE FROM runs WHERE id = ?", id);
  }

  /**
   * Takes a run over to go on with it: what another studio left half done waits again. Model and texts are where they
   * lie today.
   * @throws KeystoneError run/in-use when a living studio executes it
   */
  claim(
    id: string,
    { model, text, calibration }: { model: string; text: string; calibration: string | null },
  ): void {
    inTransaction(this.#database, () => {
      const row = this.row(id);
      this.#refuseLive(row, "resumed", "Wait until it ends, or cancel it where it runs.");
      this.#run(
        "UPDATE runs SET status = 'waiting', model = ?, text = ?, calibration = ?, owner = ?, owner_process = ?, owner_host = ?, heartbeat = ?, updated = ? WHERE id = ?",
        model,
        text,
        calibration,
        this.#owner.token,
        this.#owner.process,
        this.#owner.host,
        Date.now(),
        new Date().toISOString(),
        id,
      );
      for (const result of this.results(id)) {
        if (result.status === "running") this.#write(id, waitingAgain(result));
      }
    });
  }

  /** Lets the named variants wait again, whatever became of them; the run must be claimed. */
  reset(id: string, variants: ReadonlySet<string>, { keepAttempts = false } = {}): void {
    inTransaction(this.#database, () => {
      for (const result of this.results(id)) {
        if (!variants.has(result.id)) continue;
        this.#run("DELETE FROM variant_details WHERE run = ? AND id = ?", id, result.id);
        this.#write(id, { ...waitingAgain(result), attempts: keepAttempts ? result.attempts : 0 });
      }
    });
  }

  setStatus(id: string, status: RunStatus, seconds?: number): RunSummary {
    this.#run(
      "UPDATE runs SET status = ?, seconds = coalesce(?, seconds), updated = ?, heartbeat = ? WHERE id = ? AND owner = ?",
      status,
      seconds ?? null,
      new Date().toISOString(),
      Date.now(),
      id,
      this.#owner.token,
    );
    return this.summary(id);
  }

  saveFacts(id: string, facts: RunFacts): void {
    const set = factColumns(facts);
    if (set.length === 0) return;
    this.#run(
      `UPDATE runs SET ${set.map(([name]) => `${name} = ?`).join(", ")} WHERE id = ?`,
      ...set.map(([, value]) => value),
      id,
    );
  }

  /** Whether this studio executes the run. */
  owns(id: string): boolean {
    return this.row(id).owner === this.#owner.token;
  }

  /**
   * Keeps variants as they are now, each whole, all in one transaction.
   * @throws KeystoneError run/taken-over
   */
  saveVariants(id: string, results: readonly VariantResult[]): void {
    inTransaction(this.#database, () => {
      this.#requireOwner(id);
      for (const result of results) this.#write(id, result);
    });
  }

  /**
   * Puts waiting variants into a worker's hands.
   * @param startedAt milliseconds of the run's clock
   * @throws KeystoneError run/taken-over
   */
  lease(id: string, worker: number, variants: readonly VariantResult[], startedAt: number): Lease {
    const started = variants.map((variant) => ({
      ...variant,
      ...{ status: "running" as const, worker, startedAt },
    }));
    this.saveVariants(id, started);
    return { run: id, worker, variants: started };
  }

  /** Takes back what a worker left unfinished: it waits again. @throws KeystoneError run/taken-over */
  release(id: string, variants: readonly VariantResult[]): VariantResult[] {
    const waiting = variants.map(waitingAgain);
    this.saveVariants(id, waiting);
    return waiting;
  }

  /**
   * Keeps a finished variant: its row and its detail, or neither.
   * @throws KeystoneError run/taken-over when another studio has gone on with the run since
   */
  finishVariant(id: string, result: VariantResult, detail: VariantDetail | null): void {
    inTransaction(this.#database, () => {
      this.#requireOwner(id);
      this.#write(id, result);
      if (detail)
        this.#run(
          "INSERT OR REPLACE INTO variant_details (run, id, detail) VALUES (?, ?, ?)",
          id,
          result.id,
          JSON.stringify(detail),
        );
    });
  }

  /** A sign of life for all runs of this studio, so that others do not take them for interrupted. */
  heartbeat(): void {
    this.#run(
      "UPDATE runs SET heartbeat = ? WHERE owner = ? AND status IN ('waiting', 'running', 'paused')",
      Date.now(),
      this.#owner.token,
    );
  }

  #requireOwner(id: string): void {
    if (this.owns(id)) return;
    throw new KeystoneError(
      "run/taken-over",
      `Run ${id} was taken over by another Keystone.`,
      "Follow it there.",
      { run: id },
    );
  }

  #refuseLive(row: RunRow, what: string, next: string): void {
    if (!isLive(row)) return;
    throw new KeystoneError("run/in-use", `Run ${row.id} is ${statusOf(row)} and cannot be ${what}.`, next, {
      run: row.id,
      process: row.owner_process,
    });
  }

  #write(run: string, result: VariantResult): void {
    this.#run(
      "UPDATE variants SET status = ?, bits = ?, kl = ?, result = ? WHERE run = ? AND id = ?",
      result.status,
      result.bitsPerWeight,
      rankedKl(result),
      JSON.stringify(result),
      run,
      result.id,
    );
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#database.prepare(sql).run(...values);
  }
}
