import { join } from "node:path";
import { readJsonObject } from "#engine/checkpoint/jsonFile.ts";
import { KeystoneError } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";
import { onDisk } from "./diskErrors.ts";
import { MANIFEST_FILE } from "./exportFolders.ts";
import type { FileSystem } from "./fileSystem.ts";
import { manifest, type Manifest, type Verified } from "./manifest.ts";
import { modelCard } from "./modelCard.ts";
import { writeFile, type OutputDisk, type WrittenFile } from "./outputFile.ts";

const CARD_FILE = "README.md";
const MAX_MANIFEST_BYTES = 100_000_000;

/**
 * Writes model card and keystone.json into a folder that has neither.
 * @param record its `files` are all others; the card joins them
 * @param suffix appended to both names on the disk, for files that are renamed afterwards
 * @returns the two files
 */
export async function writeManifest(disk: OutputDisk, record: Manifest, suffix = ""): Promise<WrittenFile[]> {
  const write = (name: string, text: string): Promise<WrittenFile> =>
    writeFile(disk, name, join(disk.folder, name + suffix), (append) =>
      append(new TextEncoder().encode(text)),
    );
  const weightBytes = record.files
    .filter(({ path }) => /\.(safetensors|gguf|onnx|onnx\.data)$/.test(path))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const card = await write(CARD_FILE, modelCard({ ...record, weightBytes }));
  const complete: Manifest = { ...record, files: [...record.files, card] };
  return [card, await write(MANIFEST_FILE, `${JSON.stringify(complete, null, 2)}\n`)];
}

/** @throws KeystoneError export/bad-manifest, export/no-manifest, checkpoint/read-failed */
export async function readManifest(folder: string): Promise<Manifest> {
  const parsed = manifest.safeParse(
    await readJsonObject(join(folder, MANIFEST_FILE), {
      maxBytes: MAX_MANIFEST_BYTES,
      badCode: "export/bad-manifest",
      missingCode: "export/no-manifest",
    }),
  );
  if (parsed.success) return parsed.data;
  throw new KeystoneError(
    "export/bad-manifest",
    `${MANIFEST_FILE} in ${folder} is not one of an export: ${describeIssues(parsed.error.issues)}.`,
    "Export the variant again.",
    { folder },
  );
}

/**
 * Writes what verification found into an export's card and keystone.json. Each is written beside the old one and renamed
 * over it, so that a reader sees the old or the new file, never half of one.
 * @returns every file of the export, with the new hashes
 */
export async function recordVerification(
  out: string,
  verified: Verified,
  fileSystem: FileSystem,
): Promise<WrittenFile[]> {
  const record = await readManifest(out);
  const others = record.files.filter(({ path }) => path !== CARD_FILE);
  const suffix = `.${process.pid}.new`;
  const both = [CARD_FILE, MANIFEST_FILE].map((name) => join(out, name));
  try {
    const disk: OutputDisk = { fileSystem, folder: out, needed: 0 };
    const written = await writeManifest(disk, { ...record, files: others, verified }, suffix);
    for (const path of both)
      await onDisk({ doing: "renaming the record", path }, () => fileSystem.rename(path + suffix, path));
    await onDisk({ doing: "flushing the folder", path: out }, () => fileSystem.syncFolder(out));
    return [...others, ...written];
  } catch (thrown) {
    for (const path of both) await fileSystem.remove(path + suffix).catch(() => null);
    throw thrown;
  }
}
