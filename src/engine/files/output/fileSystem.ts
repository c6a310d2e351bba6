/** A file being written. */
export interface WritableFile {
  /** Writes bytes at a position; may write fewer than asked. @returns how many were written */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Returns once the bytes are on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileHash {
  readonly bytes: number;
  readonly sha256: string;
}

export interface FileFacts {
  readonly kind: "file" | "folder" | "other";
  readonly bytes: number;
}

/**
 * The few things an export asks of a disk. Everything it writes goes through here, so that a test can let any of them
 * fail as a full, read-only or dying disk would. Implementations throw the system's errors (`code`: ENOSPC, EROFS, …).
 */
export interface FileSystem {
  /** Creates a file that must not exist yet, open for writing. */
  create(path: string): Promise<WritableFile>;
  /** Creates one folder that must not exist yet. */
  makeFolder(path: string): Promise<void>;
  /** What lies at a path, links followed; null where nothing does. */
  stat(path: string): Promise<FileFacts | null>;
  /** The path without links. The path must exist. */
  realPath(path: string): Promise<string>;
  /** Names in a folder. */
  list(path: string): Promise<string[]>;
  /** The bytes of a file in order, in chunks that the reader must be done with before it asks for the next. */
  read(path: string): AsyncIterable<Uint8Array>;
  /**
   * Reads a whole file and gives its SHA-256, where it can beside what else is done.
   * @param advance told of every piece that is done; what it throws ends the work and is thrown
   */
  hash(path: string, advance: (bytes: number) => void | Promise<void>): Promise<FileHash>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all it holds; nothing there is no error. */
  remove(path: string): Promise<void>;
  /** Removes a folder if it is empty; otherwise throws. */
  removeEmptyFolder(path: string): Promise<void>;
  /** Makes the names in a folder (creations, renames) survive a power cut. */
  syncFolder(path: string): Promise<void>;
  /** Bytes that an ordinary user may still write on the disk that holds this path. The path must exist. */
  freeBytes(path: string): Promise<number>;
}
