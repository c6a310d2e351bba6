import { KeystoneError } from "#shared/errors.ts";

/** The file is there but the disk or its owner says no, or it is not there at all. */
export function unreadable(path: string, cause: unknown): KeystoneError {
  if (cause instanceof KeystoneError) return cause;
  const reason = reasonOf(cause);
  return new KeystoneError(
    "tasks/unreadable",
    `The task file ${path} cannot be read: ${reason}.`,
    "Check its path and that you may read it.",
    { path, reason },
    { cause },
  );
}

/** What the operating system said, in words. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES" || code === "EPERM") return "you may not read it";
  return cause instanceof Error ? cause.message : String(cause);
}

export function tooLarge(file: string, what: string, bytes: number, allowed: number): KeystoneError {
  return new KeystoneError(
    "tasks/too-large",
    `${file} holds ${what} of ${bytes.toLocaleString("en-US")} bytes; at most ${allowed.toLocaleString("en-US")} are read.`,
    "Check that it is a task file; write it as JSON lines, or split it.",
    { file, bytes, allowed },
  );
}

export function badCsv(file: string, cause: unknown): KeystoneError {
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
  return new KeystoneError(
    "tasks/bad-csv",
    `${file} is not a CSV file that can be read: ${reason}.`,
    "Put texts with commas, quotes or line breaks in double quotes, or write the rows as JSON lines.",
    { file, reason },
    { cause },
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
