import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { KeystoneError } from "#shared/errors.ts";

/** A string of V8 ends near 2^29 characters, and texts of this size take days to evaluate. */
const MAX_TEXT_BYTES = 400_000_000;
const NEWLINE = 0x0a;

/**
 * The documents of a text file: a `.txt` is one; a `.jsonl` holds one a line, in the field `text` (blank lines are
 * skipped). UTF-8; a byte order mark is dropped. A document without anything but white space is refused.
 * @throws KeystoneError text/missing, text/unknown-kind, text/too-large, text/read-failed, text/not-utf8,
 *   text/bad-line, text/empty
 */
export async function readDocuments(path: string): Promise<string[]> {
  const file = basename(path);
  const kind = extname(path).toLowerCase();
  if (kind !== ".txt" && kind !== ".jsonl") {
    throw new KeystoneError(
      "text/unknown-kind",
      `${file} is neither a .txt nor a .jsonl file.`,
      'Give plain text as .txt, or one {"text": "…"} a line as .jsonl.',
      { file },
    );
  }
  const bytes = withoutByteOrderMark(await readTextBytes(path));
  const documents = kind === ".txt" ? [decode(bytes, file, null)] : [...documentsOfLines(bytes, file)];
  if (documents.length === 0 || (kind === ".txt" && documents[0].trim() === "")) throw emptyError(file, null);
  return documents;
}

async function readTextBytes(path: string): Promise<Uint8Array> {
  const file = basename(path);
  try {
    const found = await stat(path);
    if (!found.isFile())
      throw new KeystoneError(
        "text/missing",
        `${path} is not a file.`,
        "Give the path of a .txt or .jsonl file.",
        { file },
      );
    if (found.size > MAX_TEXT_BYTES) {
      throw new KeystoneError(
        "text/too-large",
        `${file} holds ${found.size} bytes; at most ${MAX_TEXT_BYTES} are read.`,
        "Cut the text: a few hundred thousand tokens give a steady perplexity.",
        { file, bytes: found.size, allowed: MAX_TEXT_BYTES },
      );
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof KeystoneError) throw cause;
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new KeystoneError(
        "text/missing",
        `${path} does not exist.`,
        "Check the path of the text.",
        { file },
        { cause },
      );
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KeystoneError(
      "text/read-failed",
      `${file} could not be read: ${reason}.`,
      "Check the disk and the file's permissions.",
      { file, reason },
      { cause },
    );
  }
}

function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function decode(bytes: Uint8Array, file: string, line: number | null): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new KeystoneError(
      "text/not-utf8",
      `${at(file, line)} is not valid UTF-8.`,
      "Save the text as UTF-8.",
      { file, line },
      { cause },
    );
  }
}

function* documentsOfLines(bytes: Uint8Array, file: string): Generator<string> {
  for (let begin = 0, line = 1; begin < bytes.byteLength; line++) {
    const newline = bytes.indexOf(NEWLINE, begin);
    const end = newline === -1 ? bytes.byteLength : newline;
    const text = decode(bytes.subarray(begin, end), file, line);
    if (text.trim() !== "") yield documentOfLine(text, file, line);
    begin = end + 1;
  }
}

function documentOfLine(json: string, file: string, line: number): string {
  const bad = (sentence: string, cause?: unknown) =>
    new KeystoneError(
      "text/bad-line",
      `${at(file, line)} ${sentence}.`,
      'Every line is an object such as {"text": "…"}.',
      { file, line },
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw bad("is not valid JSON", cause);
  }
  const text = typeof value === "object" && value !== null && "text" in value ? value.text : undefined;
  if (typeof text !== "string") throw bad('has no field "text" that holds text');
  if (text.trim() === "") throw emptyError(file, line);
  return text;
}

function emptyError(file: string, line: number | null): KeystoneError {
  return new KeystoneError(
    "text/empty",
    `${at(file, line)} holds no text.`,
    "Give a text with at least a sentence in it.",
    { file, line },
  );
}

function at(file: string, line: number | null): string {
  return line === null ? file : `${file}, line ${line},`;
}
