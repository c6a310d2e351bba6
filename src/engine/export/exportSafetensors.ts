import { dirname, join } from "node:path";
import type { Checkpoint } from "#engine/checkpoint/types.ts";
import { readJsonObject } from "#engine/checkpoint/jsonFile.ts";
import { KeystoneError } from "#shared/errors.ts";
import { ByteProgress } from "./byteProgress.ts";
import { diskFullError, onDisk } from "./diskErrors.ts";
import { exportedTensor } from "./exportedTensor.ts";
import type { ExportJob } from "./exportJob.ts";
import type { FileSystem } from "./fileSystem.ts";
import { hashShard } from "./hashSource.ts";
import { MARKER_FILE, markerText } from "./leftovers.ts";
import { manifest, type JudgedResults, type Manifest } from "./manifest.ts";
import { writeManifest } from "./manifestFiles.ts";
import { writeFile, type OutputDisk, type WrittenFile } from "./outputFile.ts";
import { INDEX_FILE, planShards, type CheckpointPlan, type ShardPlan } from "./planShards.ts";
import { restoredPlaces, restoredWeights } from "./restoredWeights.ts";
import { describeSafetensors } from "./safetensorsFormat.ts";
import { writeShard } from "./safetensorsWriter.ts";
import { listSideFiles, type SideFile } from "./sideFiles.ts";
import { baseModelName, readSourceLicense } from "./sourceCard.ts";
import type { ExportControl, ExportVariant } from "./types.ts";

export interface ExportInput {
  readonly checkpoint: Checkpoint;
  readonly variant: ExportVariant;
  readonly job: ExportJob;
  readonly overwrite: boolean;
  /** Largest data section of a shard in bytes; null = as the source is sharded. */
  readonly maxShardBytes: number | null;
  /** Recorded as they are, e.g. `{ keystone: "0.1.0", node: "24.21.0" }`. */
  readonly versions: Readonly<Record<string, string>>;
  /** What the variant scored, for the card; null where it was not judged. */
  readonly results: JudgedResults | null;
  readonly fileSystem: FileSystem;
  readonly control: ExportControl;
}

export interface FinishedExport {
  readonly out: string;
  /** Every file of the folder, keystone.json last. */
  readonly files: readonly WrittenFile[];
  readonly bytes: number;
  readonly bitsPerWeight: number;
  readonly seconds: number;
}

/** Room for what is not known to the byte beforehand: card, manifest, index, the file system's own tables. */
const SLACK_BYTES = 1024 * 1024;
const MAX_INDEX_BYTES = 100_000_000;

/** What an export will write, known before it starts. */
export interface ExportOutline {
  readonly plan: CheckpointPlan;
  readonly sideFiles: readonly SideFile[];
  /** Bytes of disk it needs. */
  readonly bytes: number;
}

/**
 * Plans the files of an export from headers alone.
 * @throws KeystoneError export/bad-name, checkpoint/bad-index, and what reading the source's folder gives
 */
export async function outlineExport(
  checkpoint: Checkpoint,
  maxShardBytes: number | null,
  fileSystem: FileSystem,
): Promise<ExportOutline> {
  const index = checkpoint.sharded
    ? await readJsonObject(join(checkpoint.path, INDEX_FILE), {
        maxBytes: MAX_INDEX_BYTES,
        badCode: "checkpoint/bad-index",
      })
    : null;
  const plan = planShards(
    checkpoint.tensors.values(),
    maxShardBytes,
    index && { metadata: objectOrEmpty(index["metadata"]) },
  );
  const sideFiles = await listSideFiles(fileSystem, checkpoint.path);
  return {
    plan,
    sideFiles,
    bytes: plan.bytes + sideFiles.reduce((sum, file) => sum + file.bytes, SLACK_BYTES),
  };
}

function objectOrEmpty(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
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
 * Writes a variant as a safetensors checkpoint in the source's own types: same tensor names, same files around it, a
 * model card and keystone.json. Nothing appears under the target's name until all of it is on the disk; when anything
 * fails, or the control ends the job, the disk is left as it was.
 * @throws KeystoneError export/…, checkpoint/not-finite, checkpoint/changed, checkpoint/read-failed, quantize/…, job/cancelled
 */
export async function exportSafetensors(input: ExportInput): Promise<FinishedExport> {
  const started = performance.now();
  const [problem] = describeSafetensors().problems(input.variant.recipe);
  if (problem) throw KeystoneError.fromData(problem);
  const outline = await outlineExport(input.checkpoint, input.maxShardBytes, input.fileSystem);
  const free = await freeBytesFor(input.job, input.fileSystem);
  if (!(free >= outline.bytes)) throw diskFullError(input.job.folders.out, outline.bytes, free);
  try {
    const files = await writeAll(input, outline);
    await input.control.check();
    await input.job.commit(input.overwrite);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const seconds = (performance.now() - started) / 1000;
    return { out: input.job.folders.out, files, bytes, bitsPerWeight: input.variant.bitsPerWeight, seconds };
  } catch (thrown) {
    // the first error is the one to tell; the job's owner calls cleanup() as well
    await input.job.cleanup().catch(() => null);
    throw thrown;
  }
}

async function writeAll(input: ExportInput, outline: ExportOutline): Promise<WrittenFile[]> {
  const { checkpoint, fileSystem, job } = input;
  const { plan, sideFiles } = outline;
  await job.begin();
  const disk: OutputDisk = { fileSystem, folder: job.folders.part, needed: outline.bytes };
  const marker = join(disk.folder, MARKER_FILE);
  await writeFile(disk, MARKER_FILE, marker, (append) => append(new TextEncoder().encode(markerText())));

  const sourceBytes = checkpoint.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  const progress = new ByteProgress(
    input.control,
    sourceBytes + plan.bytes + sideFiles.reduce((sum, file) => sum + file.bytes, 0),
  );
  const source = new Map<string, WrittenFile>();
  const files: WrittenFile[] = [];
  for (const shard of plan.shards) {
    await hashSourcesOf(input, shard, source, progress);
    files.push(await writeOneShard(input, disk, shard, progress));
  }
  if (plan.index) files.push(await writeJson(disk, INDEX_FILE, plan.index));
  await copySideFiles(disk, sideFiles, files, progress);

  const record = await describeExport(input, files, [...source.values()]);
  files.push(...(await writeManifest(disk, record)));
  await onDisk({ doing: "finishing the folder", path: marker }, () => fileSystem.remove(marker));
  return files;
}

/** Hashes the source files that a shard draws from just before it is written: they are then still in the disk's cache. */
async function hashSourcesOf(
  input: ExportInput,
  shard: ShardPlan,
  done: Map<string, WrittenFile>,
  progress: ByteProgress,
): Promise<void> {
  for (const { file } of shard.tensors) {
    if (done.has(file)) continue;
    await progress.begin(`reading ${file}`);
    done.set(
      file,
      await hashShard(input.fileSystem, input.checkpoint, file, (bytes) => progress.advance(bytes)),
    );
  }
}

async function writeOneShard(
  { checkpoint, variant }: ExportInput,
  disk: OutputDisk,
  shard: ShardPlan,
  progress: ByteProgress,
): Promise<WrittenFile> {
  await progress.advance(shard.header.byteLength);
  return writeShard(disk, shard, async function* (name) {
    await progress.begin(`writing ${name}`);
    for await (const chunk of exportedTensor(checkpoint, variant, name)) {
      yield chunk;
      await progress.advance(chunk.byteLength);
    }
  });
}

async function writeJson(disk: OutputDisk, name: string, value: unknown): Promise<WrittenFile> {
  const text = new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  return writeFile(disk, name, join(disk.folder, name), (append) => append(text));
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
  { checkpoint, variant, versions, results }: ExportInput,
  files: WrittenFile[],
  source: WrittenFile[],
): Promise<Manifest> {
  return manifest.parse({
    manifestVersion: 1,
    format: "safetensors",
    created: new Date().toISOString(),
    versions,
    source: {
      name: baseModelName(checkpoint.path),
      fingerprint: checkpoint.fingerprint,
      license: await readSourceLicense(checkpoint.path),
      files: source,
    },
    recipe: variant.recipe,
    recipeId: variant.recipeId,
    packing: "dequantized",
    quantizedTensors: variant.plans.size,
    restored: { count: restoredPlaces(variant).count, weights: await restoredWeights(checkpoint, variant) },
    bitsPerWeight: variant.bitsPerWeight,
    fileBitsPerWeight: variant.fileBitsPerWeight,
    files,
    results,
    verified: null,
  } satisfies Manifest);
}
