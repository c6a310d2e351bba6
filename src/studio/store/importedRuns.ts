import type { DatabaseSync } from "node:sqlite";
import { KeystoneError } from "#shared/errors.ts";
import type { RunOrigin } from "#shared/run.ts";
import type { ReadArchive } from "../archive/readArchive.ts";
import { inTransaction } from "./openDatabase.ts";
import { rankedKl } from "./rows.ts";

/** Runs that came as archives. */
export class ImportedRuns {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** {@link importRun} */
  keep(archive: ReadArchive, replace: boolean): void {
    importRun(this.#database, archive, replace);
  }
}

/**
 * Keeps a run that another Keystone executed, under its own id. It has no path and no owner: nothing here goes on with it.
 * @param replace whether it may take the place of an earlier import; a run of this store's own is never replaced
 * @throws KeystoneError run/already-here
 */
function importRun(
  database: DatabaseSync,
  { manifest, run, results, details }: ReadArchive,
  replace: boolean,
): void {
  const origin: RunOrigin = {
    exported: manifest.exported,
    imported: new Date().toISOString(),
    keystone: manifest.keystone,
    detailsLeftOut: manifest.detailsLeftOut,
  };
  inTransaction(database, () => {
    makeRoom(database, run.id, replace);
    database
      .prepare(
        `INSERT INTO runs (id, name, note, imported, model, model_name, fingerprint, plan_hash, judge, text, text_hash,
           calibration, calibration_hash, created, updated, status, convention, baseline, super_weights, workers,
           threads, device, seconds, notes)
         VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        ...[run.id, run.name, run.note, JSON.stringify(origin), run.model.name, run.model.fingerprint],
        ...[run.planHash, JSON.stringify(run.judge), run.text.name, run.text.sha256],
        ...[
          run.calibration?.name ?? null,
          run.calibration?.sha256 ?? null,
          run.created,
          run.updated,
          run.status,
        ],
        ...[run.convention && JSON.stringify(run.convention), run.baseline && JSON.stringify(run.baseline)],
        ...[JSON.stringify(run.superWeights), run.workers, run.threadsPerWorker, run.device, run.seconds],
        JSON.stringify(run.notes),
      );
    const variant = database.prepare(
      "INSERT INTO variants (run, id, position, turn, status, bits, kl, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (const result of results)
      variant.run(
        ...[run.id, result.id, result.index, result.index, result.status],
        ...[result.bitsPerWeight, rankedKl(result), JSON.stringify(result)],
      );
    const detail = database.prepare("INSERT INTO variant_details (run, id, detail) VALUES (?, ?, ?)");
    for (const one of details) detail.run(run.id, one.id, JSON.stringify(one));
  });
}

function makeRoom(database: DatabaseSync, id: string, replace: boolean): void {
  const found = database.prepare("SELECT imported FROM runs WHERE id = ?").get(id);
  if (!found) return;
  const own = found["imported"] === null;
  if (!own && replace) {
    database.prepare("DELETE FROM runs WHERE id = ?").run(id);
    return;
  }
  throw new KeystoneError(
    "run/already-here",
    own ? `Run ${id} was made in this run store.` : `Run ${id} was imported already.`,
    own ? "It is in the list of runs." : "Look at it in the list of runs, or replace it with this archive.",
    { run: id, imported: !own },
  );
}
