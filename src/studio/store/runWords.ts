import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import type { RunSummary } from "#shared/run.ts";
import { inTransaction } from "./openDatabase.ts";
import type { RunStore } from "./runStore.ts";

/** A run's title and note. */
export interface Words {
  readonly name: string;
  readonly note: string;
}

const edit = z.object({ edit: z.number(), name: z.string(), note: z.string() });

/** So many edits of a run can be undone, one after the other. */
const MAX_EDITS = 100;

/** What a person writes about runs; every edit can be undone, also later and from another window. */
export class RunWords {
  readonly #database: DatabaseSync;
  readonly #runs: RunStore;

  constructor(database: DatabaseSync, runs: RunStore) {
    this.#database = database;
    this.#runs = runs;
  }

  /**
   * Writes the title, the note or both; an edit that changes nothing is none.
   * @param was what the person saw; null = whatever is there
   * @throws KeystoneError run/unknown, run/words-changed
   */
  write(run: string, change: Partial<Words>, was: Words | null = null): RunSummary {
    inTransaction(this.#database, () => {
      const before = this.#current(run, was);
      const after = { ...before, ...change };
      if (after.name === before.name && after.note === before.note) return;
      this.#database
        .prepare("INSERT INTO run_edits (run, made, name, note) VALUES (?, ?, ?, ?)")
        .run(run, new Date().toISOString(), before.name, before.note);
      this.#database
        .prepare(
          `DELETE FROM run_edits WHERE run = ?1 AND edit NOT IN
             (SELECT edit FROM run_edits WHERE run = ?1 ORDER BY edit DESC LIMIT ${MAX_EDITS})`,
        )
        .run(run);
      this.#set(run, after);
    });
    return this.#runs.summary(run);
  }

  /**
   * Puts title and note back to what they were before the last edit.
   * @throws KeystoneError run/unknown, run/words-changed, run/nothing-to-undo
   */
  undo(run: string, was: Words | null = null): RunSummary {
    inTransaction(this.#database, () => {
      this.#current(run, was);
      const found = this.#database
        .prepare("SELECT edit, name, note FROM run_edits WHERE run = ? ORDER BY edit DESC LIMIT 1")
        .get(run);
      if (!found)
        throw new KeystoneError(
          "run/nothing-to-undo",
          `No edit of run ${run}'s title or note is left to undo.`,
          "Write the title or the note anew.",
          { run },
        );
      const last = edit.parse(found);
      this.#set(run, last);
      this.#database.prepare("DELETE FROM run_edits WHERE edit = ?").run(last.edit);
    });
    return this.#runs.summary(run);
  }

  #current(run: string, was: Words | null): Words {
    const { name, note } = this.#runs.row(run);
    if (was === null || (was.name === name && was.note === note)) return { name, note };
    throw new KeystoneError(
      "run/words-changed",
      `The title or note of run ${run} was changed elsewhere while it was edited here.`,
      "Look at what is there now and edit it again.",
      { run },
    );
  }

  #set(run: string, { name, note }: Words): void {
    this.#database
      .prepare("UPDATE runs SET name = ?, note = ?, updated = ? WHERE id = ?")
      .run(name, note, new Date().toISOString(), run);
  }
}
