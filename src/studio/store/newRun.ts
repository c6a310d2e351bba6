import type { DatabaseSync } from "node:sqlite";
import type { Judge } from "#shared/plan.ts";
import type { VariantResult } from "#shared/run.ts";
import { inTransaction } from "./openDatabase.ts";
import type { Owner } from "./owner.ts";

/** What a run is, before anything of it has run. */
export interface NewRun {
  id: string;
  name: string;
  model: string;
  modelName: string;
  fingerprint: string;
  planHash: string;
  judge: Judge;
  text: string;
  textHash: string;
  /** Null where no recipe needs one. */
  calibration: { path: string; hash: string } | null;
  variants: readonly VariantResult[];
  /** Positions in the plan, in the order to run them. */
  order: readonly number[];
}

/** Writes a run with its waiting variants, all or nothing; it belongs to `owner`. */
export function insertRun(database: DatabaseSync, run: NewRun, owner: Owner): void {
  const now = new Date().toISOString();
  inTransaction(database, () => {
    database
      .prepare(
        `INSERT INTO runs (id, name, model, model_name, fingerprint, plan_hash, judge, text, text_hash,
           calibration, calibration_hash, created, updated, status,
           owner, owner_process, owner_host, heartbeat) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?)`,
      )
      .run(
        run.id,
        run.name,
        run.model,
        run.modelName,
        run.fingerprint,
        run.planHash,
        JSON.stringify(run.judge),
        run.text,
        run.textHash,
        run.calibration?.path ?? null,
        run.calibration?.hash ?? null,
        now,
        now,
        owner.token,
        owner.process,
        owner.host,
        Date.now(),
      );
    const insert = database.prepare(
      "INSERT INTO variants (run, id, position, turn, status, result) VALUES (?, ?, ?, ?, 'waiting', ?)",
    );
    const turns = new Map(run.order.map((position, turn) => [position, turn]));
    for (const variant of run.variants) {
      insert.run(
        run.id,
        variant.id,
        variant.index,
        turns.get(variant.index) ?? variant.index,
        JSON.stringify(variant),
      );
    }
  });
}
