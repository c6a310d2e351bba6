import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { KeystoneError } from "#shared/errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** How long a statement waits for another process's write, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens the run store, bringing an older one up to this version. Write-ahead logging lets other processes read while
 * one writes; `synchronous=FULL` keeps a finished variant through a power cut.
 * @throws KeystoneError store/unwritable, store/corrupt, store/newer
 */
export function openDatabase(file: string): DatabaseSync {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    try {
      prepare(database, file);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw storeError(file, error);
  }
}

function prepare(database: DatabaseSync, file: string): void {
  const found = schemaVersion(database);
  if (found > MIGRATIONS.length) {
    throw new KeystoneError(
      "store/newer",
      `The run store ${file} has version ${found}; this Keystone knows versions up to ${MIGRATIONS.length}.`,
      "Use the newer Keystone that wrote it, or set KEYSTONE_HOME to another folder.",
      { file, found, known: MIGRATIONS.length },
    );
  }
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  if (found === MIGRATIONS.length) return;
  // IMMEDIATE: of two processes that start together, the second waits and finds the work done.
  inTransaction(database, () => {
    for (const step of MIGRATIONS.slice(schemaVersion(database))) database.exec(step);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

/** Runs `work` in one transaction: all of it is kept, or nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** A fault of the store's file as one clear sentence; other errors stay as they are. */
export function storeError(file: string, error: unknown): unknown {
  if (error instanceof KeystoneError || !(error instanceof Error)) return error;
  const number = "errcode" in error ? Number(error.errcode) & 0xff : null;
  if (number === SQLITE_CORRUPT || number === SQLITE_NOTADB) {
    return new KeystoneError(
      "store/corrupt",
      `The run store ${file} is damaged (${error.message}).`,
      "Move the file away to start a new store, or set KEYSTONE_HOME to another folder; exported checkpoints are not affected.",
      { file },
    );
  }
  return new KeystoneError(
    "store/unwritable",
    `The run store ${file} cannot be used: ${error.message}.`,
    "Check that its folder can be written and the disk is not full, or set KEYSTONE_HOME to another folder.",
    { file },
  );
}
