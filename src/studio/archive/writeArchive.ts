import { createHash } from "node:crypto";
import { KeystoneError } from "#shared/errors.ts";
import { fileSize } from "#shared/format.ts";
import type { PlanFile } from "#shared/plan.ts";
import type { RunDetail, VariantDetail } from "#shared/run.ts";
import {
  ARCHIVE_FORMAT,
  ARCHIVE_VERSION,
  MANIFEST_FILE,
  MAX_ARCHIVE_BYTES,
  PLAN_FILE,
  REPORT_FILE,
  RUN_FILE,
  type ArchivedRun,
  type ArchiveManifest,
} from "#shared/runArchive.ts";
import { ZipPacker } from "./packFiles.ts";

/** What an archive is written from; the detail is portable already. */
export interface ArchiveSource {
  readonly detail: RunDetail;
  readonly planHash: string;
  readonly fingerprint: string;
  readonly textHash: string;
  readonly calibrationHash: string | null;
  /** Errors by tensor and layer, of one variant after the other. */
  readonly details: Iterable<VariantDetail>;
  readonly report: string;
  readonly keystone: string;
  readonly exported: Date;
}

/** Lines are gathered into files of about so many bytes. */
const PART_BYTES = 4 * 1024 * 1024;
/** Kept free for the manifest and the zip's own table. */
const TAIL_BYTES = 256 * 1024;

/**
 * One run as one zip. Errors by tensor and layer are left out, and counted, where they would make it larger than an archive may be.
 * @throws KeystoneError archive/too-large where the results alone are
 */
export async function writeArchive(source: ArchiveSource): Promise<Uint8Array> {
  const zip = new ZipPacker();
  const files: Record<string, { bytes: number; sha256: string }> = {};
  const add = async (name: string, text: string): Promise<void> => {
    const content = Buffer.from(text, "utf8");
    files[name] = { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
    await zip.add(name, content, source.exported);
  };
  await add(RUN_FILE, pretty(archivedRunOf(source)));
  await add(PLAN_FILE, pretty(planOf(source.detail)));
  for (const { name, text } of partsOf("results", source.detail.results)) await add(name, text);
  await add(REPORT_FILE, source.report);
  if (zip.bytes > MAX_ARCHIVE_BYTES - TAIL_BYTES) throw tooLarge(source.detail, zip.bytes);

  let detailsLeftOut = 0;
  for (const { name, text, count } of partsOf("details", source.details)) {
    // Numbers deflate to half their size or less; a part that may not fit is not begun.
    const fits = zip.bytes + Buffer.byteLength(text) / 2 < MAX_ARCHIVE_BYTES - TAIL_BYTES;
    if (fits && detailsLeftOut === 0) await add(name, text);
    else detailsLeftOut += count;
  }
  const manifest: ArchiveManifest = {
    format: ARCHIVE_FORMAT,
    version: ARCHIVE_VERSION,
    exported: source.exported.toISOString(),
    keystone: source.keystone,
    files,
    detailsLeftOut,
  };
  await zip.add(MANIFEST_FILE, Buffer.from(pretty(manifest), "utf8"), source.exported);
  return zip.end();
}

function archivedRunOf({ detail, ...source }: ArchiveSource): ArchivedRun {
  const { summary, judge, convention, baseline, superWeights } = detail;
  const { workers, threadsPerWorker, device, seconds, notes } = detail;
  const { id, name, note, created, updated } = summary;
  return {
    ...{ id, name, note, created, updated },
    status: endedStatus(summary.status),
    model: { name: summary.modelName, fingerprint: source.fingerprint },
    planHash: source.planHash,
    judge,
    text: { name: detail.text, sha256: source.textHash },
    calibration:
      detail.calibration === null || source.calibrationHash === null
        ? null
        : { name: detail.calibration, sha256: source.calibrationHash },
    ...{ convention, baseline, superWeights, workers, threadsPerWorker, device, seconds, notes },
  };
}

function endedStatus(status: RunDetail["summary"]["status"]): ArchivedRun["status"] {
  return status === "done" || status === "cancelled" || status === "failed" ? status : "interrupted";
}

function planOf({ summary, results, judge }: RunDetail): PlanFile {
  return { name: summary.name.slice(0, 200), recipes: results.map(({ recipe }) => recipe), judge };
}

/** Items a line each, in files of a bearable size. */
function* partsOf(
  folder: string,
  items: Iterable<unknown>,
): Generator<{ name: string; text: string; count: number }> {
  let [part, bytes, lines]: [number, number, string[]] = [0, 0, []];
  const whole = (): { name: string; text: string; count: number } => {
    part++;
    const made = {
      name: `${folder}/${String(part).padStart(4, "0")}.jsonl`,
      text: `${lines.join("\n")}\n`,
      count: lines.length,
    };
    [bytes, lines] = [0, []];
    return made;
  };
  for (const item of items) {
    const text = JSON.stringify(item);
    if (bytes > 0 && bytes + text.length > PART_BYTES) yield whole();
    lines.push(text);
    bytes += text.length + 1;
  }
  if (lines.length > 0) yield whole();
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function tooLarge({ summary }: RunDetail, bytes: number): KeystoneError {
  return new KeystoneError(
    "archive/too-large",
    `The results of run ${summary.id} take ${fileSize(bytes)}; an archive may hold ${fileSize(MAX_ARCHIVE_BYTES)}.`,
    "Save its report instead, or sweep in several runs.",
    { run: summary.id, bytes },
  );
}
