import type { Note } from "#shared/notes.ts";
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { readRows } from "#engine/files/documents/readDocuments.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { count } from "./words.ts";
import type { LabRun } from "./experiment.ts";

/** The judged text as the model sees it. @throws KeystoneError text/…, usage/… */
export async function textWindows(run: LabRun): Promise<WindowSet> {
  return windowsOf(run, await readRows(run.request.text));
}

/** The calibration text, cut as the judged one, and what must be said about it. */
export interface Calibration {
  readonly windows: WindowSet;
  readonly notes: readonly Note[];
}

/**
 * The text that thresholds and scales are chosen on.
 * @throws KeystoneError usage/no-calibration where none is named, text/…, usage/…
 */
export async function calibrationWindows(run: LabRun): Promise<Calibration> {
  const { calibration, text } = run.request;
  if (calibration === null) throw noCalibration();
  const rows = await readRows(calibration);
  return {
    windows: windowsOf(run, rows),
    notes: sharedDocuments(await readRows(text), rows),
  };
}

/**
 * Refuses a calibration text that is the judged text: what was chosen on a text looks better there than it is.
 * @throws KeystoneError usage/calibration-is-text
 */
export async function checkSplit({
  text,
  calibration,
}: Pick<LabRun["request"], "text" | "calibration">): Promise<void> {
  if (calibration === null || !(await sameFile(text, calibration))) return;
  throw new KeystoneError(
    "usage/calibration-is-text",
    `The calibration text ${basename(calibration)} is the text that is judged: what is chosen on a text looks better there than it is.`,
    "Name another text for the calibration.",
    { text, calibration },
  );
}

function windowsOf(run: LabRun, rows: readonly string[]): WindowSet {
  return cutWindows(rows, run.tokenizer, run.request.judge, run.architecture.facts.contextLength);
}

async function sameFile(a: string, b: string): Promise<boolean> {
  if (a === b) return true;
  const sizes = await Promise.all([sizeOf(a), sizeOf(b)]);
  if (sizes[0] === null || sizes[0] !== sizes[1]) return false;
  const [first, second] = await Promise.all([hashOf(a), hashOf(b)]);
  return first === second;
}

/** Null for a file that is not there: reading it says so. */
async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    (found) => found.size,
    () => null,
  );
}

async function hashOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

function sharedDocuments(text: readonly string[], calibration: readonly string[]): Note[] {
  const known = new Set(calibration.map((document) => document.trim()));
  const documents = text.map((document) => document.trim()).filter((document) => document !== "");
  const shared = documents.filter((document) => known.has(document)).length;
  if (shared === 0) return [];
  return [
    {
      code: "calibration/shared",
      text: `${count(shared)} of the ${count(documents.length)} judged documents also stand in the calibration text: what was chosen there looks better than it is.`,
    },
  ];
}

function noCalibration(): KeystoneError {
  return new KeystoneError(
    "usage/no-calibration",
    "This experiment chooses on one text and judges on another, and no calibration text was named.",
    "Name a calibration text, apart from the one that is judged.",
  );
}
