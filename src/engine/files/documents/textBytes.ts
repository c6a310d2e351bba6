import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";

/** A string of V8 ends near 2^29 characters, and texts of this size take days to evaluate. */
const MAX_TEXT_BYTES = 400_000_000;

/**
 * The bytes of a text file without a byte order mark. @param whole false = only see that it is there and not too large
 * @throws KeystoneError text/missing, text/too-large, text/read-failed
 */
export async function readTextBytes(path: string, whole = true): Promise<Uint8Array> {
  const file = basename(path);
  try {
    const found = await stat(path);
    if (!found.isFile())
      throw new KeystoneError("text/missing", `${path} is not a file.`, "Give the path of a text file.", {
        file,
      });
    if (found.size > MAX_TEXT_BYTES) throw tooLarge(file, found.size);
    return whole ? withoutByteOrderMark(await readFile(path)) : new Uint8Array();
  } catch (cause) {
    throw cause instanceof KeystoneError ? cause : unreadable(path, cause);
  }
}

function tooLarge(file: string, bytes: number): KeystoneError {
  return new KeystoneError(
    "text/too-large",
    `${file} holds ${bytes} bytes; at most ${MAX_TEXT_BYTES} are read.`,
    "Cut the text: a few hundred thousand tokens give a steady perplexity.",
    { file, bytes, allowed: MAX_TEXT_BYTES },
  );
}

function unreadable(path: string, cause: unknown): KeystoneError {
  const file = basename(path);
  if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
    return new KeystoneError(
      "text/missing",
      `${path} does not exist.`,
      "Check the path of the text.",
      { file },
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeystoneError(
    "text/read-failed",
    `${file} could not be read: ${reason}.`,
    "Check the disk and the file's permissions.",
    { file, reason },
    { cause },
  );
}

function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Bytes as text. @throws KeystoneError text/not-utf8 */
export function decodeText(bytes: Uint8Array, file: string, line: number | null): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw textFault(file, line, "text/not-utf8", "is not valid UTF-8", "Save the text as UTF-8.", cause);
  }
}

/** What is wrong with a text, or with one of its rows. @param sentence a predicate, without its full stop */
export function textFault(
  file: string,
  line: number | null,
  code: string,
  sentence: string,
  next: string,
  cause?: unknown,
): KeystoneError {
  const where = line === null ? file : `${file}, line ${line},`;
  return new KeystoneError(code, `${where} ${sentence}.`, next, { file, line }, { cause });
}
