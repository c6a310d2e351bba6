import { dirname } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import { planFolders, requireReplaceable, type ExportFolders } from "./exportFolders.ts";
import { onDisk } from "#engine/files/output/diskErrors.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";

/**
 * One export as its owner holds it. The owner makes it before the work starts, hands `folders` to the worker, and calls
 * cleanup() when the worker failed, was cancelled, or was ended in the middle: no code of that thread runs then.
 */
export class ExportJob {
  readonly folders: ExportFolders;
  private readonly fileSystem: FileSystem;

  constructor(folders: ExportFolders, fileSystem: FileSystem = nodeFileSystem) {
    this.folders = folders;
    this.fileSystem = fileSystem;
  }

  /** @throws KeystoneError as {@link planFolders} */
  static async plan(
    place: { source: string; out: string; overwrite: boolean },
    fileSystem: FileSystem = nodeFileSystem,
  ): Promise<ExportJob> {
    return new ExportJob(await planFolders(fileSystem, place.source, place.out, place.overwrite), fileSystem);
  }

  /** Makes the folder to write into, and the parents it needs. */
  async begin(): Promise<void> {
    const { part, missingParents } = this.folders;
    for (const folder of [...missingParents.toReversed(), part]) {
      await onDisk({ doing: "making the folder", path: folder }, () =>
        this.makeUnlessThere(folder, folder !== part),
      );
    }
  }

  private async makeUnlessThere(folder: string, mayExist: boolean): Promise<void> {
    if (mayExist && (await this.fileSystem.stat(folder))?.kind === "folder") return;
    await this.fileSystem.makeFolder(folder);
  }

  /**
   * Puts the finished folder in its place with one rename. A folder that is replaced is moved aside first and removed
   * last: at every moment the old or the new one is whole.
   * @throws KeystoneError export/exists where something came to lie there meanwhile and may not be replaced;
   *   export/old-remains where the export stands but the folder it replaced could not be removed
   */
  async commit(overwrite: boolean): Promise<void> {
    const { out, part, aside } = this.folders;
    const disk = this.fileSystem;
    await onDisk({ doing: "flushing the folder", path: part }, () => disk.syncFolder(part));
    // judged again: hours may have passed since it was planned
    const replaces = await requireReplaceable(disk, out, overwrite);
    if (replaces)
      await onDisk({ doing: "moving the old folder aside", path: out }, () => disk.rename(out, aside));
    let renamed = false;
    try {
      await onDisk({ doing: "renaming the finished folder", path: out }, () => disk.rename(part, out));
      renamed = true;
      await onDisk({ doing: "flushing the folder", path: dirname(out) }, () => disk.syncFolder(dirname(out)));
    } catch (thrown) {
      // the first error is the one to tell; cleanup() tries again what fails here
      if (renamed) await disk.rename(out, part).catch(() => null);
      if (replaces) await disk.rename(aside, out).catch(() => null);
      throw thrown;
    }
    if (replaces)
      await disk.remove(aside).catch((cause: unknown) => Promise.reject(oldRemainsError(out, aside, cause)));
  }

  /**
   * Leaves the disk as if the export had not been started; after a finished one it changes nothing. May be called from
   * any thread, any number of times. A folder that had been moved aside comes back if its successor never arrived.
   */
  async cleanup(): Promise<void> {
    const { out, part, aside, missingParents } = this.folders;
    await onDisk({ doing: "removing the unfinished export", path: part }, () => this.fileSystem.remove(part));
    await onDisk({ doing: "putting the old folder back", path: aside }, () =>
      settleAside(this.fileSystem, out, aside),
    );
    if ((await this.fileSystem.stat(out)) !== null) return;
    // a parent that meanwhile holds something else stays
    for (const folder of missingParents) await this.fileSystem.removeEmptyFolder(folder).catch(() => null);
  }
}

function oldRemainsError(out: string, aside: string, cause: unknown): KeystoneError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeystoneError(
    "export/old-remains",
    `The export stands in ${out}, but the folder it replaced could not be removed (${aside}): ${reason}.`,
    "Remove that folder yourself.",
    { out, aside, reason },
    { cause },
  );
}

/** A folder moved aside: removed where its successor stands, put back where it does not. */
export async function settleAside(fileSystem: FileSystem, out: string, aside: string): Promise<void> {
  if ((await fileSystem.stat(aside)) === null) return;
  if ((await fileSystem.stat(out)) === null) await fileSystem.rename(aside, out);
  else await fileSystem.remove(aside);
}
