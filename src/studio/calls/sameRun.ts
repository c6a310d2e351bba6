import { createHash } from "node:crypto";
import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { recipeInOldWords } from "#shared/oldWords.ts";
import type { Judge, Plan } from "#shared/plan.ts";
import type { VariantResult } from "#shared/run.ts";
import type { Access } from "../models/access.ts";
import type { RunRow } from "../store/rows.ts";
import { fileHash } from "./texts.ts";

/** An imported run is a record of what was scored elsewhere: nothing is added to it here. */
export function ownRun(row: RunRow): RunRow {
  if (row.imported === null) return row;
  throw new KeystoneError(
    "run/imported",
    `Run ${row.id} was imported: what it holds was scored elsewhere, and nothing is added to it here.`,
    "Start a new sweep of its plan.",
    { run: row.id },
  );
}

export function planHash(plan: Plan): string {
  return createHash("sha256")
    .update(canonicalJson(plan.recipes.map(recipeInOldWords)))
    .digest("hex");
}

export function sameJudge(a: Judge, b: Judge): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

export async function textHash(path: string): Promise<string> {
  return fileHash(path).catch((cause: unknown) => {
    throw new KeystoneError(
      "text/missing",
      `The text ${basename(path)} cannot be read (${path}).`,
      "Check the path of the text.",
      { path },
      { cause },
    );
  });
}

/** A run's calibration text where it lies today; null where the run has none. @throws KeystoneError run/other-calibration */
export async function sameCalibration(access: Access, row: RunRow, named?: string): Promise<string | null> {
  if (row.calibration === null) return null;
  const path = access.check(named ?? row.calibration);
  requireSame(
    row.calibration_hash === (await textHash(path)),
    "calibration",
    row.id,
    `another calibration text than ${path}`,
    "Name the calibration text it was started with; if the file was changed, start a new run.",
  );
  return path;
}

export function requireSame(
  same: boolean,
  what: "model" | "plan" | "text" | "judge" | "calibration",
  run: string,
  found: string,
  next: string,
): void {
  if (same) return;
  throw new KeystoneError(`run/other-${what}`, `Run ${run} was started with ${found}.`, next, { run, what });
}

/** Ids of the named variants that are not done; of all that failed or were cancelled where none are named. @throws KeystoneError run/no-such-variant */
export function variantsToRetry(
  run: string,
  results: readonly VariantResult[],
  named: readonly string[] | null,
): Set<string> {
  const status = new Map(results.map((result) => [result.id, result.status]));
  const unknown = named?.find((id) => !status.has(id));
  if (unknown !== undefined) {
    throw new KeystoneError(
      "run/no-such-variant",
      `Run ${run} has no variant ${unknown}.`,
      "Name variants of this run.",
      { run, variant: unknown },
    );
  }
  if (named) return new Set(named.filter((id) => status.get(id) !== "done"));
  return new Set(
    results.flatMap(({ id, status }) => (status === "failed" || status === "cancelled" ? [id] : [])),
  );
}
