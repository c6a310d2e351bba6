import { withCodesBeside, withCodesInside } from "#shared/notes.ts";
import { join } from "node:path";
import { readJsonObject } from "#engine/files/jsonFile.ts";
import { KeystoneError } from "#shared/errors.ts";
import { describeIssues } from "#shared/plan.ts";
import { MANIFEST_FILE } from "../folder/unknownFile.ts";
import { manifest, type Manifest } from "../manifest/manifest.ts";
import { modelCard } from "./modelCard.ts";
import { writeFile, type OutputDisk, type WrittenFile } from "#engine/files/output/outputFile.ts";

const CARD_FILE = "README.md";
const MAX_MANIFEST_BYTES = 100_000_000;

/**
 * Writes model card and keystone.json into a folder that has neither.
 * Notes are sentences in keystone.json, with their codes beside them.
 * @param record its `files` are all others; the card joins them
 * @returns the two files
 */
export async function writeManifest(disk: OutputDisk, record: Manifest): Promise<WrittenFile[]> {
  const write = (name: string, text: string): Promise<WrittenFile> =>
    writeFile(disk, name, join(disk.folder, name), (append) => append(new TextEncoder().encode(text)));
  const weightBytes = record.files
    .filter(({ path }) => /\.(safetensors|gguf|onnx|onnx\.data)$/.test(path))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const card = await write(CARD_FILE, modelCard({ ...record, weightBytes }));
  const complete: Manifest = { ...record, files: [...record.files, card] };
  return [card, await write(MANIFEST_FILE, `${JSON.stringify(withCodesBeside(complete), null, 2)}\n`)];
}

/** @throws KeystoneError export/bad-manifest, export/no-manifest, checkpoint/read-failed */
export async function readManifest(folder: string): Promise<Manifest> {
  const found = await readJsonObject(join(folder, MANIFEST_FILE), {
    maxBytes: MAX_MANIFEST_BYTES,
    badCode: "export/bad-manifest",
    missingCode: "export/no-manifest",
  });
  const parsed = manifest.safeParse(withCodesInside(found));
  if (parsed.success) return parsed.data;
  throw new KeystoneError(
    "export/bad-manifest",
    `${MANIFEST_FILE} in ${folder} is not one of an export: ${describeIssues(parsed.error.issues)}.`,
    "Export the variant again.",
    { folder },
  );
}
