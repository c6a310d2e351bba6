import { KeystoneError } from "#shared/errors.ts";

/** The file is there but the disk or its owner says no, or it is not there at all. */
export function unreadable(path: string, cause: unknown): KeystoneError {
  if (cause instanceof KeystoneError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeystoneError(
    "tasks/unreadable",
    `The task file ${path} cannot be read: ${reason}.`,
    "Check its path and that you may read it.",
    { path, reason },
    { cause },
  );
}

export function tooLarge(file: string, what: string, bytes: number, allowed: number): KeystoneError {
  return new KeystoneError(
    "tasks/too-large",
    `${file} holds ${what} of ${bytes.toLocaleString("en-US")} bytes; at most ${allowed.toLocaleString("en-US")} are read.`,
    "Check that it is a task file; write it as JSON lines, or split it.",
    { file, bytes, allowed },
  );
}

export function badParquet(file: string, cause: unknown): KeystoneError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeystoneError(
    "tasks/bad-parquet",
    `${file} is not a Parquet file that can be read: ${reason}.`,
    "Download it again, or write the rows as JSON lines.",
    { file, reason },
    { cause },
  );
}
