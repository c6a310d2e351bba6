import { randomUUID } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { KeystoneError } from "#shared/errors.ts";

/**
 * Writes a file whole or not at all: beside its place first, flushed, then moved there.
 * @throws KeystoneError usage/exists, usage/no-such-folder, report/unwritable
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  { overwrite }: { overwrite: boolean },
): Promise<void> {
  await checkPlace(path, overwrite);
  const part = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(part, "wx");
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeystoneError(
      "report/unwritable",
      `${path} could not be written: ${reason}.`,
      "Check the disk's space and the folder's rights; nothing was left behind.",
      { path },
      { cause },
    );
  }
}

/** Refuses a place that is taken or does not exist. Asked before the work, and again when its result is written. */
export async function checkPlace(path: string, overwrite: boolean): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory()) throw taken(path, "is a folder", "Name a file in it.");
  if (found && !overwrite) throw taken(path, "exists already", "Name another file, or add --overwrite.");
  const folder = await stat(dirname(path)).catch(() => null);
  if (folder?.isDirectory()) return;
  throw new KeystoneError(
    "usage/no-such-folder",
    `The folder ${dirname(path)} does not exist.`,
    "Create it first, or name another file.",
    { path },
  );
}

function taken(path: string, problem: string, next: string): KeystoneError {
  return new KeystoneError("usage/exists", `${path} ${problem}.`, next, { path });
}
