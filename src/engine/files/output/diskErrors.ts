import { KeystoneError } from "#shared/errors.ts";

/** What was being done when the disk refused: completes the sentence "The disk … while <doing>". */
export interface DiskWork {
  /** For example `writing model.safetensors`. */
  readonly doing: string;
  readonly path: string;
  /** Bytes the whole export needs, where known. */
  readonly needed?: number;
  /** Bytes free now; asked for only when the disk is full. */
  readonly free?: () => Promise<number>;
}

/**
 * Runs one piece of disk work and turns the system's error into a sentence.
 * @throws KeystoneError export/disk-full, export/read-only, export/not-permitted, export/exists, export/in-use,
 *   export/disk-failed, export/missing, export/bad-name, export/write-failed; a KeystoneError passes as it is
 */
export async function onDisk<T>(work: DiskWork, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw await diskError(cause, work);
  }
}

interface Explanation {
  readonly code: string;
  readonly what: string;
  readonly next: string;
}

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  EROFS: {
    code: "export/read-only",
    what: "is read-only",
    next: "Choose a folder on a disk that can be written.",
  },
  EACCES: {
    code: "export/not-permitted",
    what: "does not let you write there",
    next: "Choose a folder you may write to, or change its permissions.",
  },
  EPERM: {
    code: "export/not-permitted",
    what: "does not let you write there",
    next: "Choose a folder you may write to, or change its permissions.",
  },
  EEXIST: {
    code: "export/exists",
    what: "already holds something of that name",
    next: "Choose another folder, or remove what is there.",
  },
  ENOTEMPTY: {
    code: "export/exists",
    what: "already holds something of that name",
    next: "Choose another folder, or remove what is there.",
  },
  EBUSY: {
    code: "export/in-use",
    what: "says that another program holds it",
    next: "Close the program that uses the folder, then export again.",
  },
  EIO: {
    code: "export/disk-failed",
    what: "reported an input/output error",
    next: "The disk may be failing or was unplugged: check it, then export to another disk.",
  },
  ENODEV: {
    code: "export/disk-failed",
    what: "is gone",
    next: "Connect the disk again, or export to another one.",
  },
  ENOENT: {
    code: "export/missing",
    what: "no longer holds it",
    next: "Something removed it meanwhile: export again.",
  },
  ENOTDIR: {
    code: "export/missing",
    what: "holds a file where a folder is needed",
    next: "Choose another folder.",
  },
  ENAMETOOLONG: {
    code: "export/bad-name",
    what: "does not accept so long a name",
    next: "Choose a shorter folder name.",
  },
  EFBIG: {
    code: "export/too-large",
    what: "does not accept so large a file",
    next: "Export in smaller shards, or to a disk with another file system.",
  },
};

/** The KeystoneError for whatever was thrown during disk work. */
export async function diskError(cause: unknown, work: DiskWork): Promise<KeystoneError> {
  if (cause instanceof KeystoneError) return cause;
  const errno = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (errno === "ENOSPC" || errno === "EDQUOT") return fullError(cause, work);
  const known = Object.hasOwn(EXPLANATIONS, errno) ? EXPLANATIONS[errno] : undefined;
  if (known) {
    const details = { path: work.path, errno };
    return new KeystoneError(
      known.code,
      `The disk ${known.what}, while ${work.doing} (${work.path}).`,
      known.next,
      details,
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeystoneError(
    "export/write-failed",
    `The disk refused, while ${work.doing} (${work.path}): ${reason}.`,
    "Check the disk and export again, or choose another folder.",
    { path: work.path, reason },
    { cause },
  );
}

async function fullError(cause: unknown, work: DiskWork): Promise<KeystoneError> {
  // the disk that is full may be gone as well; the first error matters more than this figure
  const free = (await work.free?.().catch(() => null)) ?? null;
  return diskFullError(work.path, work.needed ?? null, free, ` while ${work.doing}`, cause);
}

/** Bytes with thousands separators, as errors and cards show them. */
export function bytesText(bytes: number): string {
  return `${bytes.toLocaleString("en-US")} bytes`;
}

/** @param when where in the sentence it happened, or "" before anything was written */
export function diskFullError(
  path: string,
  needed: number | null,
  free: number | null,
  when = "",
  cause?: unknown,
): KeystoneError {
  const figures = [
    needed === null ? "" : `the export needs ${bytesText(needed)}`,
    free === null ? "" : `${bytesText(free)} are free`,
  ].filter((text) => text !== "");
  return new KeystoneError(
    "export/disk-full",
    `The disk has too little room${when} (${path})${figures.length > 0 ? `: ${figures.join(", ")}` : ""}.`,
    "Free some space or choose a folder on another disk.",
    { path, needed, free },
    cause === undefined ? undefined : { cause },
  );
}
