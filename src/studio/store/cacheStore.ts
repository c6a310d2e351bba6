import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { detectReport, type DetectOptions, type DetectReport } from "#shared/detection.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { settings, type Settings, type settingsChange } from "#shared/settings.ts";
import { inTransaction } from "./openDatabase.ts";

export const keptModel = z.object({
  path: z.string(),
  name: z.string(),
  opened: z.string(),
  revision: z.string(),
  /** Empty for a model that was last opened before it was kept. */
  fingerprint: z.string(),
  parameters: z.number(),
  dtype: z.string(),
});
export type KeptModel = z.infer<typeof keptModel>;

export const keptPlan = z.object({
  id: z.string(),
  name: z.string(),
  plan: z.string().transform((text): unknown => JSON.parse(text)),
  saved: z.string(),
});
export type KeptPlan = z.infer<typeof keptPlan>;

/** How many models the list of recent ones holds. */
const RECENT_MODELS = 24;

/** What is remembered beside the runs: settings, recent models, saved plans, detections, measured speed. */
export class CacheStore {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  settings(): Settings {
    const rows = this.#database.prepare("SELECT name, value FROM settings").all();
    const kept = Object.fromEntries(
      rows.map((row) => [String(row["name"]), JSON.parse(String(row["value"])) as unknown]),
    );
    // A setting that a later version no longer accepts falls back to its default rather than locking people out.
    const fields = Object.entries(settings.shape).map(
      ([name, shape]) => [name, shape.safeParse(kept[name])] as const,
    );
    return settings.parse(
      Object.fromEntries(fields.flatMap(([name, read]) => (read.success ? [[name, read.data]] : []))),
    );
  }

  saveSettings(changes: z.output<typeof settingsChange>): void {
    const save = this.#database.prepare("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)");
    inTransaction(this.#database, () => {
      for (const [name, value] of Object.entries(changes)) save.run(name, JSON.stringify(value));
    });
  }

  models(): KeptModel[] {
    return this.#database
      .prepare("SELECT * FROM models ORDER BY opened DESC")
      .all()
      .map((row) => keptModel.parse(row));
  }

  saveModel(model: KeptModel): void {
    inTransaction(this.#database, () => {
      this.#database
        .prepare(
          `INSERT OR REPLACE INTO models (path, name, opened, revision, fingerprint, parameters, dtype)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          ...[model.path, model.name, model.opened, model.revision, model.fingerprint],
          ...[model.parameters, model.dtype],
        );
      this.#database
        .prepare(
          "DELETE FROM models WHERE path NOT IN (SELECT path FROM models ORDER BY opened DESC LIMIT ?)",
        )
        .run(RECENT_MODELS);
    });
  }

  forgetModel(path: string): void {
    this.#database.prepare("DELETE FROM models WHERE path = ?").run(path);
  }

  plans(): KeptPlan[] {
    return this.#database
      .prepare("SELECT * FROM plans ORDER BY saved DESC")
      .all()
      .map((row) => keptPlan.parse(row));
  }

  savePlan(plan: { id: string; name: string; plan: unknown }): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO plans (id, name, plan, saved) VALUES (?, ?, ?, ?)")
      .run(plan.id, plan.name, JSON.stringify(plan.plan), new Date().toISOString());
  }

  /** Whether there was such a plan. */
  deletePlan(id: string): boolean {
    return this.#database.prepare("DELETE FROM plans WHERE id = ?").run(id).changes > 0;
  }

  /** What was found in a checkpoint's files as they are now, by its revision. */
  detection(revision: string, options: DetectOptions): DetectReport | null {
    const row = this.#database
      .prepare("SELECT report FROM detections WHERE revision = ? AND options = ?")
      .get(revision, canonicalJson(options));
    return row ? readReport(row["report"]) : null;
  }

  /** The latest detection in a checkpoint's files as they are now, whatever its options. */
  latestDetection(revision: string): DetectReport | null {
    const row = this.#database
      .prepare("SELECT report FROM detections WHERE revision = ? ORDER BY found DESC LIMIT 1")
      .get(revision);
    return row ? readReport(row["report"]) : null;
  }

  saveDetection(report: DetectReport): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO detections (revision, options, found, report) VALUES (?, ?, ?, ?)")
      .run(report.revision, canonicalJson(report.options), new Date().toISOString(), JSON.stringify(report));
  }

  /** Measured multiply-adds per second of one worker, or null where none was measured yet. */
  rate(device: string, threads: number): number | null {
    const row = this.#database
      .prepare("SELECT per_second FROM rates WHERE device = ? AND threads = ?")
      .get(device, threads);
    return row ? Number(row["per_second"]) : null;
  }

  saveRate(device: string, threads: number, perSecond: number): void {
    this.#database
      .prepare("INSERT OR REPLACE INTO rates (device, threads, per_second, measured) VALUES (?, ?, ?, ?)")
      .run(device, threads, perSecond, new Date().toISOString());
  }
}

/** A report that an older version wrote and this one does not read counts as none: the search is done again. */
function readReport(text: unknown): DetectReport | null {
  const read = detectReport.safeParse(JSON.parse(String(text)));
  return read.success ? read.data : null;
}
