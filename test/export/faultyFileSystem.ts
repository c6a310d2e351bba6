import type { FileSystem, WritableFile } from "#engine/files/output/fileSystem.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";

/** An error as the operating system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

export interface Faults {
  /** Called before each operation; throws what the disk would. `count` is 1 for the first of its kind. */
  before?: (operation: keyof FileSystem | keyof WritableFile, path: string, count: number) => void;
  /** Most bytes one write takes. */
  writeLimit?: number;
  freeBytes?: number;
}

/** The real disk, failing as asked. */
export function faultyFileSystem(faults: Faults): FileSystem {
  const counts = new Map<string, number>();
  const before = (operation: keyof FileSystem | keyof WritableFile, path: string): void => {
    const count = (counts.get(operation) ?? 0) + 1;
    counts.set(operation, count);
    faults.before?.(operation, path, count);
  };
  const guarded =
    <T>(operation: keyof FileSystem, action: (path: string) => Promise<T>) =>
    async (path: string): Promise<T> => {
      before(operation, path);
      return action(path);
    };
  return {
    create: async (path) => {
      before("create", path);
      return faultyFile(await nodeFileSystem.create(path), path, before, faults.writeLimit ?? Infinity);
    },
    makeFolder: guarded("makeFolder", (path) => nodeFileSystem.makeFolder(path)),
    stat: guarded("stat", (path) => nodeFileSystem.stat(path)),
    realPath: guarded("realPath", (path) => nodeFileSystem.realPath(path)),
    list: guarded("list", (path) => nodeFileSystem.list(path)),
    read: (path) => {
      before("read", path);
      return nodeFileSystem.read(path);
    },
    hash: async (path, advance) => {
      before("read", path);
      return nodeFileSystem.hash(path, advance);
    },
    rename: async (from, to) => {
      before("rename", from);
      await nodeFileSystem.rename(from, to);
    },
    remove: guarded("remove", (path) => nodeFileSystem.remove(path)),
    removeEmptyFolder: guarded("removeEmptyFolder", (path) => nodeFileSystem.removeEmptyFolder(path)),
    syncFolder: guarded("syncFolder", (path) => nodeFileSystem.syncFolder(path)),
    freeBytes: async (path) => {
      before("freeBytes", path);
      return faults.freeBytes ?? nodeFileSystem.freeBytes(path);
    },
  };
}

function faultyFile(
  file: WritableFile,
  path: string,
  before: (operation: keyof WritableFile, path: string) => void,
  writeLimit: number,
): WritableFile {
  return {
    write: async (bytes, position) => {
      before("write", path);
      return file.write(bytes.subarray(0, Math.min(bytes.byteLength, writeLimit)), position);
    },
    sync: async () => {
      before("sync", path);
      await file.sync();
    },
    close: async () => {
      // the handle itself is closed even where the disk reports an error, as close(2) does
      await file.close();
      before("close", path);
    },
  };
}
