import type { Host } from "#shared/contract/contract.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { RunSummary } from "#shared/run.ts";
import { MAX_ARCHIVE_BYTES } from "#shared/runArchive.ts";
import { fileSize } from "../../format.ts";
import { saveBlob } from "../../parts/download.ts";

/** Saves a run as one file. @throws KeystoneError as `run:export` */
export async function saveArchive(host: Host, run: string): Promise<void> {
  const { name, content } = await host.call("run:export", { run });
  saveBlob(name, new Blob([bytesOf(content)], { type: "application/zip" }));
}

/**
 * Imports a run from a file that a person chose.
 * @throws KeystoneError archive/too-large before anything is sent, else as `run:import`
 */
export async function importArchive(host: Host, file: Blob, replace = false): Promise<RunSummary> {
  if (file.size > MAX_ARCHIVE_BYTES)
    throw new KeystoneError(
      "archive/too-large",
      `The file has ${fileSize(file.size)}; an archive may hold ${fileSize(MAX_ARCHIVE_BYTES)}.`,
      "Choose a file that Keystone exported from a run.",
      { bytes: file.size },
    );
  return host.call("run:import", { content: base64Of(new Uint8Array(await file.arrayBuffer())), replace });
}

/** So many bytes become characters at a time: as many arguments as a function surely takes. */
const STRETCH = 0x6000;

/** Bytes as Base64. */
export function base64Of(bytes: Uint8Array): string {
  let text = "";
  for (let from = 0; from < bytes.length; from += STRETCH)
    text += String.fromCharCode(...bytes.subarray(from, from + STRETCH));
  return btoa(text);
}

/** Base64 as bytes. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
