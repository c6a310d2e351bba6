import type { Note } from "#shared/notes.ts";
import { dirname, join } from "node:path";
import { recipeId } from "#engine/recipe/recipeId.ts";
import { KeystoneError } from "#shared/errors.ts";
import { exportFormat, type ExportFormat } from "#shared/exporting.ts";
import { unusedGroups } from "#shared/inventory.ts";
import type { Verified } from "#shared/verification.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import type { AskedVariant } from "./variant/adaptVariant.ts";
import { ByteProgress } from "#engine/formats/write/byteProgress.ts";
import { diskFullError, onDisk } from "#engine/files/output/diskErrors.ts";
import type { ExportModel, ExportSource } from "#engine/formats/write/exporter.ts";
import { exporters } from "#engine/formats/exporters.ts";
import type { ExportJob } from "./folder/exportJob.ts";
import { exportNotes } from "./variant/exportNotes.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { SourceHashes } from "./folder/hashSource.ts";
import { MARKER_FILE, markerText } from "./folder/leftovers.ts";
import { manifest, type JudgedResults, type Manifest } from "./manifest/manifest.ts";
import { writeManifest } from "./card/manifestFiles.ts";
import { writeFile, type OutputDisk, type WrittenFile } from "#engine/files/output/outputFile.ts";
import { restoredPlaces, weightsAt } from "#engine/formats/write/restoredWeights.ts";
import { listSideFiles, type SideFile } from "./folder/sideFiles.ts";
import { baseModelName, readSourceLicense } from "#engine/formats/write/sourceCard.ts";
import type { ExportControl, ExportVariant } from "#engine/formats/write/exportedVariant.ts";
import { dominantBits } from "./variant/dominantBits.ts";
import { WeightMemory } from "#engine/formats/write/weightMemory.ts";

export interface ExportInput {
  readonly format: ExportFormat;
  readonly model: ExportModel;
  /** Of the recipe as the format holds it. */
  readonly variant: ExportVariant;
  /** How that differs from what was asked for. */
  readonly changes: readonly Note[];
  readonly asked: AskedVariant;
  readonly job: ExportJob;
  readonly overwrite: boolean;
  /** Largest data section of a shard in bytes; null = as the source is sharded. */
  readonly maxShardBytes: number | null;
  /** Recorded as they are, e.g. `{ keystone: "0.1.0", node: "24.21.0" }`. */
  readonly versions: Readonly<Record<string, string>>;
  /** What the variant scored, for the card; null where it was not judged. */
  readonly results: JudgedResults | null;
  /**
   * Reads the folder back before it gets its name, and says what it found; what it throws ends the export, which leaves
   * nothing. Absent = nobody looks.
   */
  readonly verify?: ((folder: string) => Promise<Verified>) | undefined;
  readonly fileSystem: FileSystem;
  readonly control: ExportControl;
}

export interface FinishedExport {
  readonly out: string;
  /** Every file of the folder, keystone.json last. */
  readonly files: readonly WrittenFile[];
  readonly bytes: number;
  readonly bitsPerWeight: number;
  /** What reading it back found; null where nobody looked. */
  readonly verified: Verified | null;
  /** As {@link exportNotes} gives them. */
  readonly notes: readonly Note[];
  readonly seconds: number;
}

/** Room for what is not known to the byte beforehand: card, manifest, index, the file system's own tables. */
const SLACK_BYTES = 1024 * 1024;

/** What an export will write, known before it starts. */
export interface ExportOutline {
  readonly sideFiles: readonly SideFile[];
  /** Bytes that the exporter itself writes. */
  readonly weightBytes: number;
  /** Bytes of disk it needs. */
  readonly bytes: number;
}

/** Plans an export's files from headers alone. @throws KeystoneError export/…, checkpoint/… */
export async function outlineExport(format: ExportFormat, source: ExportSource): Promise<ExportOutline> {
  const exporter = exporters[format];
  const { bytes: weightBytes } = await exporter.outline(source);
  const all = await listSideFiles(source.fileSystem, source.model.checkpoint.path);
  const sideFiles = all.filter(({ name }) => !exporter.leavesBehind?.(name, source.model));
  return {
    sideFiles,
    weightBytes,
    bytes: weightBytes + sideFiles.reduce((sum, file) => sum + file.bytes, SLACK_BYTES),
  };
}

/**
 * Bytes free for a job, on the disk of the innermost folder that exists.
 * @throws KeystoneError export/…
 */
export async function freeBytesFor(job: ExportJob, fileSystem: FileSystem): Promise<number> {
  const { out, missingParents } = job.folders;
  const folder = dirname(missingParents.at(-1) ?? out);
  return onDisk({ doing: "asking for free space", path: folder }, () => fileSystem.freeBytes(folder));
}

/**
 * Writes a variant in one format, with the source's own files around it, a model card and keystone.json. Nothing appears under
 * the target's name until all of it is on the disk and, where that is asked for, verified; when anything fails, or the
 * control ends the job, the disk is left as it was.
 * @throws KeystoneError export/…, checkpoint/not-finite, checkpoint/changed, checkpoint/read-failed, quantize/…, job/cancelled,
 *   and what `verify` throws
 */
export async function writeExport(input: ExportInput): Promise<FinishedExport> {
  const started = performance.now();
  const { model, variant } = input;
  const [problem] = exporters[input.format].problems(variant.recipe, { model, plans: variant.plans });
  if (problem) throw KeystoneError.fromData(problem);
  const outline = await outlineExport(input.format, input);
  const free = await freeBytesFor(input.job, input.fileSystem);
  if (!(free >= outline.bytes)) throw diskFullError(input.job.folders.out, outline.bytes, free);
  try {
    const notes = await exportNotes(input.format, input);
    const { files, verified } = await writeAll(input, outline, notes);
    await input.control.check();
    await input.job.commit(input.overwrite);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const seconds = (performance.now() - started) / 1000;
    const { bitsPerWeight } = variant;
    return { out: input.job.folders.out, files, bytes, bitsPerWeight, verified, notes, seconds };
  } catch (thrown) {
    // the first error is the one to tell; the job's owner calls cleanup() as well
    await input.job.cleanup().catch(() => null);
    throw thrown;
  }
}

async function writeAll(
  input: ExportInput,
  outline: ExportOutline,
  notes: Note[],
): Promise<{ files: WrittenFile[]; verified: Verified | null }> {
  const { model, fileSystem, job } = input;
  await job.begin();
  const disk: OutputDisk = { fileSystem, folder: job.folders.part, needed: outline.bytes };
  const marker = join(disk.folder, MARKER_FILE);
  await writeFile(disk, MARKER_FILE, marker, (append) => append(new TextEncoder().encode(markerText())));

  const sourceBytes = model.checkpoint.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const sideBytes = outline.sideFiles.reduce((sum, file) => sum + file.bytes, 0);
  const total = sourceBytes + outline.weightBytes + sideBytes;
  const progress = new ByteProgress(input.control, total, "reading the source");
  const hashes = new SourceHashes(fileSystem, model.checkpoint, (bytes) => progress.advance(bytes));
  try {
    const files = await writeWeights(input, disk, progress, hashes);
    const written = new Set(files.map(({ path }) => path));
    const copied = outline.sideFiles.filter(({ name }) => !written.has(name));
    await copySideFiles(disk, copied, files, progress);

    const source = await hashes.all();
    const verified = (await input.verify?.(disk.folder)) ?? null;
    const record = await describeExport(input, { files, source, notes, verified });
    files.push(...(await writeManifest(disk, record)));
    await onDisk({ doing: "finishing the folder", path: marker }, () => fileSystem.remove(marker));
    return { files, verified };
  } finally {
    await hashes.stop();
  }
}

async function writeWeights(
  input: ExportInput,
  disk: OutputDisk,
  progress: ByteProgress,
  hashes: SourceHashes,
): Promise<WrittenFile[]> {
  const useSource = (files: Iterable<string>): Promise<void> => hashes.begin(files);
  const memory = new WeightMemory();
  const files = await exporters[input.format].write({ ...input, disk, progress, useSource, memory });
  await useSource(input.model.checkpoint.shards.map(({ file }) => file));
  return files;
}

async function copySideFiles(
  disk: OutputDisk,
  sideFiles: readonly SideFile[],
  files: WrittenFile[],
  progress: ByteProgress,
): Promise<void> {
  const folders = new Set(
    sideFiles.filter(({ name }) => name.includes("/")).map(({ name }) => dirname(name)),
  );
  for (const folder of folders) {
    const path = join(disk.folder, folder);
    await onDisk({ doing: "making the folder", path }, () => disk.fileSystem.makeFolder(path));
  }
  for (const { name, path } of sideFiles) {
    await progress.begin(`copying ${name}`);
    const copy = writeFile(disk, name, join(disk.folder, name), async (append) => {
      for await (const chunk of disk.fileSystem.read(path)) {
        await append(chunk);
        await progress.advance(chunk.byteLength);
      }
    });
    files.push(await onDisk({ doing: `copying ${name}`, path }, () => copy));
  }
}

async function describeExport(
  { format, model: { checkpoint }, variant, changes, asked, maxShardBytes, versions, results }: ExportInput,
  {
    files,
    source,
    notes,
    verified,
  }: Pick<Manifest, "files" | "notes" | "verified"> & { source: WrittenFile[] },
): Promise<Manifest> {
  const restored = restoredPlaces(variant);
  return manifest.parse({
    manifestVersion: 1,
    format: exportFormat.parse(format),
    created: new Date().toISOString(),
    versions,
    source: {
      name: baseModelName(checkpoint.path),
      fingerprint: checkpoint.fingerprint,
      license: await readSourceLicense(checkpoint.path),
      files: source,
      notUsed: unusedGroups(checkpoint.inventory).map((group) => ({ ...group, names: [...group.names] })),
    },
    asked: {
      recipe: asked.recipe,
      recipeId: recipeId(asked.recipe),
      kept: asked.kept,
      embedding: asked.embedding,
      maxShardBytes,
    },
    recipe: variant.recipe,
    recipeId: variant.recipeId,
    changes: [...changes],
    notes,
    packing: exportFormatOf(format).size,
    quantizedTensors: variant.plans.size,
    quantizedBits: dominantBits(variant.plans.values()),
    restored: {
      count: restored.count,
      weights: await weightsAt(checkpoint, restored.named),
      held: await weightsAt(checkpoint, asked.held),
    },
    bitsPerWeight: variant.bitsPerWeight,
    fileBitsPerWeight: variant.fileBitsPerWeight,
    files,
    results,
    verified,
  } satisfies Manifest);
}
