import { note } from "./notes.ts";
import { z } from "zod";
import { convention, scores } from "./evaluation.ts";
import { plural } from "./format.ts";
import { judge, MAX_VARIANTS } from "./plan.ts";
import { coordinate } from "./recipe.ts";
import { MAX_RUN_NOTE, variantDetail, variantResult } from "./run.ts";

/**
 * A run as one file that travels: a zip of what this module describes. It holds no weights and no path of the machine that wrote
 * it; the model and the texts are named, and recognised by their hashes.
 *
 *     keystone-run.json       the manifest: format, version, every other file's size and SHA-256
 *     run.json                what was judged, on what, how
 *     plan.json               the plan, as `keystone sweep --plan` reads it
 *     results/0001.jsonl …    a variant a line
 *     details/0001.jsonl …    errors by tensor and layer, a variant a line
 *     report.html             the same for people; never read again
 */
export const ARCHIVE_FORMAT = "keystone-run";
/** 2: recipes in the words of today; 1 is read as well. */
export const ARCHIVE_VERSION = 2;
export const ARCHIVE_ENDING = "keystone-run";

export const MANIFEST_FILE = "keystone-run.json";
export const RUN_FILE = "run.json";
export const PLAN_FILE = "plan.json";
export const REPORT_FILE = "report.html";
/** Names that an archive may hold; any other is refused. */
export const ARCHIVE_NAMES =
  /^(?:keystone-run\.json|run\.json|plan\.json|report\.html|(?:results|details)\/\d{4}\.jsonl)$/;

/** Largest archive, in bytes: as Base64 it fits a message between window and studio. */
export const MAX_ARCHIVE_BYTES = 20 * 1024 * 1024;
/** Largest file in an archive, all of them together, and how many: a zip that claims more is a bomb. */
export const MAX_ENTRY_BYTES = 16 * 1024 * 1024;
export const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;
export const MAX_ENTRIES = 256;

/* Control characters and those that turn the direction of what follows: a name must not forge a terminal or a table. */
const UNSEEN =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text of several lines from another machine. */
function text(most: number) {
  return z
    .string()
    .max(most)
    .transform((found) => found.replaceAll("\r\n", "\n").replace(UNSEEN, " "));
}

/** Text in one line from another machine. */
function line(most: number) {
  return text(most).transform((found) => found.replaceAll(/\s+/g, " ").trim());
}

const hash = z.string().regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in hexadecimal");
const size = z.number().int().nonnegative();
/** A file that is not in the archive: its name without a folder, and what it held. */
const namedFile = z.object({ name: line(1_000), sha256: hash });

export const archiveManifest = z.object({
  format: z.literal(ARCHIVE_FORMAT),
  version: z.number().int().positive(),
  exported: z.iso.datetime(),
  keystone: line(64),
  files: z.record(
    z.string().regex(ARCHIVE_NAMES, "is no file of a run's archive"),
    z.object({ bytes: size, sha256: hash }),
  ),
  /** Finished variants whose errors by tensor and layer were left out, because the archive would be too large. */
  detailsLeftOut: size.default(0),
});
export type ArchiveManifest = z.infer<typeof archiveManifest>;

/** What a reader of an imported run must know of the errors that its archive had no room for; empty where it holds all. */
export function leftOutSentence(detailsLeftOut: number): string {
  if (detailsLeftOut === 0) return "";
  return `The archive had no room for the errors by layer and tensor of ${plural(detailsLeftOut, "variant")}.`;
}

export const archivedRun = z.object({
  id: z.uuid(),
  name: line(1_000).pipe(z.string().min(1)),
  note: text(MAX_RUN_NOTE),
  created: z.iso.datetime(),
  updated: z.iso.datetime(),
  /** An archive is no run at work: one that was is written as interrupted. */
  status: z.enum(["done", "cancelled", "failed", "interrupted"]),
  model: z.object({ name: line(1_000), fingerprint: hash }),
  planHash: hash,
  judge,
  text: namedFile,
  calibration: namedFile.nullable(),
  convention: convention.extend({ text: line(10_000) }).nullable(),
  baseline: scores.nullable(),
  superWeights: z.array(coordinate).max(100_000),
  workers: size,
  threadsPerWorker: size,
  device: line(200),
  seconds: z.number().nonnegative(),
  notes: z.array(note.pipe(z.object({ code: line(200), text: line(10_000) }))).max(1_000),
});
export type ArchivedRun = z.infer<typeof archivedRun>;

const archivedError = z.object({
  code: line(200),
  message: line(10_000),
  next: line(10_000),
  // Values for programs may be paths.
  details: z.unknown().transform(() => ({})),
});

export const archivedResult = variantResult.extend({
  id: hash,
  index: size.max(MAX_VARIANTS - 1),
  label: line(10_000),
  status: z.enum(["waiting", "done", "failed", "cancelled"]),
  bitsPerWeight: z.number().nonnegative().nullable(),
  fileBitsPerWeight: z.number().nonnegative().nullable(),
  error: archivedError.optional(),
});

const longName = line(1_000);
export const archivedDetail = variantDetail.extend({
  id: hash,
  tensors: z.array(variantDetail.shape.tensors.element.extend({ name: longName })).max(100_000),
  layers: variantDetail.shape.layers.max(10_000),
});
