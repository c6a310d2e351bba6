import { mkdir, open, readdir, realpath, rename, rm, rmdir, stat, statfs } from "node:fs/promises";
import { hashFile } from "./fileHash.ts";
import type { FileFacts, FileSystem, WritableFile } from "./fileSystem.ts";

/** Bytes read at once from a file that is copied or hashed. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** The machine's own disks. */
export const nodeFileSystem: FileSystem = {
  create: createFile,
  makeFolder: (path) => mkdir(path),
  stat: fileFacts,
  realPath: (path) => realpath(path),
  list: (path) => readdir(path),
  read: readChunks,
  hash: (path, advance) => hashFile(path, () => readChunks(path), advance),
  rename: (from, to) => rename(from, to),
  // Windows refuses for a moment while a virus scanner or an indexer still holds a new file
  remove: (path) => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  removeEmptyFolder: (path) => rmdir(path),
  syncFolder,
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

async function createFile(path: string): Promise<WritableFile> {
  const handle = await open(path, "wx");
  return {
    write: async (bytes, position) => (await handle.write(bytes, 0, bytes.byteLength, position)).bytesWritten,
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function fileFacts(path: string): Promise<FileFacts | null> {
  try {
    const found = await stat(path);
    return { kind: found.isFile() ? "file" : found.isDirectory() ? "folder" : "other", bytes: found.size };
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw cause;
  }
}

/** While the reader is busy with one chunk, the next is read. */
async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, "r");
  let coming: Promise<Uint8Array> | null = null;
  try {
    const buffers = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)] as const;
    const readInto = async (buffer: Uint8Array): Promise<Uint8Array> =>
      buffer.subarray(0, (await handle.read(buffer, 0, buffer.byteLength, null)).bytesRead);
    coming = readInto(buffers[0]);
    for (let turn = 1; ; turn = 1 - turn) {
      const chunk = await coming;
      coming = null;
      if (chunk.byteLength === 0) return;
      coming = readInto(buffers[turn]);
      // told of by the await above, or not at all where the reader wants no more
      coming.catch(() => null);
      yield chunk;
    }
  } finally {
    await coming?.catch(() => null);
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder for this; its journal orders the rename by itself
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
