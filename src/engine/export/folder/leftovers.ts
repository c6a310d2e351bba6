import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { MANIFEST_FILE } from "./unknownFile.ts";
import { settleAside } from "./exportJob.ts";
import { onDisk } from "#engine/files/output/diskErrors.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { readJson } from "#engine/files/output/readJson.ts";

/** Lies in an unfinished export and says whose it is; a folder without it is never taken for a leftover. */
export const MARKER_FILE = ".keystone-export";

const marker = z.object({ pid: z.number().int(), host: z.string() });

export function markerText(): string {
  return JSON.stringify({ pid: process.pid, host: hostname(), started: new Date().toISOString() });
}

/** What a crashed export left beside its target. */
export interface Leftover {
  readonly path: string;
  /** `part`: an unfinished export. `old`: a folder that was being replaced. */
  readonly kind: "part" | "old";
  /** The folder it belongs to. */
  readonly out: string;
}

const NAME = /^(.+)\.(\d{1,10})\.\d+-\d+\.(part|old)$/;

/**
 * Leftovers in a folder: names of the exporter's own form whose process no longer runs on this machine.
 * @param isRunning whether a process lives; another person's process counts as living
 */
export async function findLeftovers(
  folder: string,
  fileSystem: FileSystem = nodeFileSystem,
  isRunning: (pid: number) => boolean = processRuns,
): Promise<Leftover[]> {
  const names = await onDisk({ doing: "looking for leftovers", path: folder }, () => fileSystem.list(folder));
  const found: Leftover[] = [];
  for (const name of names) {
    const match = NAME.exec(name);
    if (!match || isRunning(Number(match[2]))) continue;
    const leftover: Leftover = {
      path: join(folder, name),
      kind: match[3] === "old" ? "old" : "part",
      out: join(folder, match[1]),
    };
    if (await isOurs(fileSystem, leftover, Number(match[2]))) found.push(leftover);
  }
  return found;
}

/** Removes a leftover. A folder that was being replaced comes back where its successor never arrived. */
export async function removeLeftover(
  leftover: Leftover,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const { kind, out, path } = leftover;
  await onDisk({ doing: "removing a leftover", path }, () =>
    kind === "old" ? settleAside(fileSystem, out, path) : fileSystem.remove(path),
  );
}

/**
 * Removes what crashed exports to one folder left beside it, before another one goes there.
 * @param out where the export will lie
 * @throws KeystoneError export/…
 */
export async function clearLeftovers(out: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  const folder = dirname(out);
  if ((await fileSystem.stat(folder))?.kind !== "folder") return;
  for (const leftover of await findLeftovers(folder, fileSystem))
    if (leftover.out === out) await removeLeftover(leftover, fileSystem);
}

async function isOurs(fileSystem: FileSystem, { path, kind, out }: Leftover, pid: number): Promise<boolean> {
  if ((await fileSystem.stat(path))?.kind !== "folder") return false;
  const names = await fileSystem.list(path);
  // only an export's own folder, or an empty one, is ever moved aside
  if (kind === "old")
    return (
      (names.length === 0 || names.includes(MANIFEST_FILE)) && (await standsOrIsMissing(fileSystem, out))
    );
  if (names.length === 0 || (names.includes(MANIFEST_FILE) && !names.includes(MARKER_FILE))) return true;
  if (!names.includes(MARKER_FILE)) return false;
  // a marker cut off in the middle of its own writing is not proof of anything
  const read = marker.safeParse(await readJson(fileSystem, join(path, MARKER_FILE)));
  return read.success && read.data.pid === pid && read.data.host === hostname();
}

async function standsOrIsMissing(fileSystem: FileSystem, out: string): Promise<boolean> {
  if ((await fileSystem.stat(out)) === null) return true;
  return (await fileSystem.stat(join(out, MANIFEST_FILE))) !== null;
}

function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && "code" in cause && cause.code === "ESRCH");
  }
}
