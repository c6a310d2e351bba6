import { createHash } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import type { z } from "zod";
import { KeystoneError } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantDetail, VariantResult } from "#shared/run.ts";
import {
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  archivedDetail,
  archivedResult,
  archivedRun,
  archiveManifest,
  MANIFEST_FILE,
  REPORT_FILE,
  RUN_FILE,
  type ArchivedRun,
  type ArchiveManifest,
} from "#shared/runArchive.ts";
import { unpackFiles } from "./unpackFiles.ts";

/** What an archive holds, all of it checked. */
export interface ReadArchive {
  readonly manifest: ArchiveManifest;
  readonly run: ArchivedRun;
  /** In the plan's order. */
  readonly results: readonly VariantResult[];
  readonly details: readonly VariantDetail[];
}

/**
 * Reads a run's archive from bytes that anybody may have made.
 * @throws KeystoneError archive/…
 */
export async function readArchive(archive: Uint8Array): Promise<ReadArchive> {
  const files = await unpackFiles(archive);
  const manifest = readManifest(files.get(MANIFEST_FILE));
  for (const [name, content] of files) if (name !== MANIFEST_FILE) requireIntact(manifest, name, content);
  for (const name of Object.keys(manifest.files))
    if (!files.has(name) && name !== REPORT_FILE) throw damaged(`Its file ${name} is missing`);
  const run = readJson(RUN_FILE, files.get(RUN_FILE), archivedRun, manifest);
  const results = await readLines("results", files, archivedResult, manifest);
  const details = await readLines("details", files, archivedDetail, manifest);
  requireOneRun(results, details);
  const ordered = results.sort((a, b) => a.index - b.index);
  return {
    manifest,
    run,
    // A label is made from its recipe, as everywhere.
    results: ordered.map(({ error, ...result }): VariantResult => ({
      ...result,
      label: recipeLabel(result.recipe),
      ...(error ? { error } : {}),
    })),
    details,
  };
}

function readManifest(content: Uint8Array | undefined): ArchiveManifest {
  if (!content)
    throw new KeystoneError(
      "archive/not-an-archive",
      `The zip holds no ${MANIFEST_FILE}: it is not the archive of a run.`,
      "Choose a file that Keystone exported from a run.",
    );
  const found = parseJson(MANIFEST_FILE, content);
  const version = versionOf(found);
  if (version !== null && version > ARCHIVE_VERSION)
    throw new KeystoneError(
      "archive/newer",
      `The archive has version ${version}; this Keystone reads versions up to ${ARCHIVE_VERSION}.`,
      "Import it with the newer Keystone that wrote it, or a later one.",
      { version, known: ARCHIVE_VERSION },
    );
  return checked(MANIFEST_FILE, archiveManifest.safeParse(found), null);
}

function versionOf(found: unknown): number | null {
  if (typeof found !== "object" || found === null || !("format" in found) || !("version" in found))
    return null;
  return found.format === ARCHIVE_FORMAT && Number.isInteger(found.version) ? Number(found.version) : null;
}

function requireIntact({ files }: ArchiveManifest, name: string, content: Uint8Array): void {
  const told = Object.hasOwn(files, name) ? files[name] : undefined;
  if (!told) throw damaged(`Its file ${name} is not in the manifest`);
  const sha256 = createHash("sha256").update(content).digest("hex");
  if (told.bytes !== content.length || told.sha256 !== sha256)
    throw damaged(`Its file ${name} is not the one that was written`);
}

function readJson<T extends z.ZodType>(
  name: string,
  content: Uint8Array | undefined,
  shape: T,
  manifest: ArchiveManifest,
): z.output<T> {
  if (!content) throw damaged(`Its file ${name} is missing`);
  return checked(name, shape.safeParse(parseJson(name, content)), manifest);
}

/** The lines of all files of a folder, in the order of their names. */
async function readLines<T extends z.ZodType>(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  shape: T,
  manifest: ArchiveManifest,
): Promise<z.output<T>[]> {
  const names = [...files.keys()].filter((name) => name.startsWith(`${folder}/`)).sort();
  const items: z.output<T>[] = [];
  for (const name of names) {
    const lines = decode(name, files.get(name)).split("\n");
    for (const [i, text] of lines.entries()) {
      if (text === "") continue;
      const place = `${name}, line ${i + 1}`;
      items.push(checked(place, shape.safeParse(parseText(place, text)), manifest));
      if (i % LINES_AT_ONCE === 0) await breathe();
    }
  }
  return items;
}
/** So many lines are checked before windows are answered. */
const LINES_AT_ONCE = 50;

/** Every variant stands once, and details belong to variants that are done. */
function requireOneRun(
  results: readonly { id: string; index: number; status: string }[],
  details: readonly { id: string }[],
): void {
  const done = new Set(results.flatMap(({ id, status }) => (status === "done" ? [id] : [])));
  if (new Set(results.map(({ id }) => id)).size < results.length)
    throw invalid("results hold a variant twice", null);
  if (new Set(results.map(({ index }) => index)).size < results.length)
    throw invalid("results hold two variants at one place of the plan", null);
  if (new Set(details.map(({ id }) => id)).size < details.length)
    throw invalid("details hold a variant twice", null);
  if (details.some(({ id }) => !done.has(id)))
    throw invalid("details are of a variant that the results do not hold as done", null);
}

function parseJson(name: string, content: Uint8Array): unknown {
  return parseText(name, decode(name, content));
}

function parseText(place: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid(`${place} is not JSON`, null, cause);
  }
}

function decode(name: string, content: Uint8Array | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (cause) {
    throw invalid(`${name} is not UTF-8 text`, null, cause);
  }
}

function checked<T>(
  place: string,
  read: { success: true; data: T } | { success: false; error: z.ZodError },
  manifest: ArchiveManifest | null,
): T {
  if (read.success) return read.data;
  throw invalid(`${place}: ${describeIssues(read.error.issues)}`, manifest);
}

/** Longest reason that is shown: issues name keys, and keys may be long. */
const SHOWN = 400;

function invalid(what: string, manifest: ArchiveManifest | null, cause?: unknown): KeystoneError {
  const by = manifest ? ` It was written by Keystone ${manifest.keystone}.` : "";
  return new KeystoneError(
    "archive/invalid",
    `The archive does not hold a run as Keystone writes it: ${what.slice(0, SHOWN)}.${by}`,
    "Export the run again where it was made; an archive is not to be edited.",
    {},
    { cause },
  );
}

function damaged(what: string): KeystoneError {
  return new KeystoneError(
    "archive/damaged",
    `The archive is damaged. ${what}.`,
    "Get it again, or export the run again where it was made.",
  );
}
