import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { tooLarge, unreadable } from "./tableErrors.ts";
import type { Row, RowFile } from "./rows.ts";

/** Longest line, in bytes: a question of this size has more tokens than any model has positions. */
const MAX_LINE_BYTES = 16 * 2 ** 20;
/** A JSON array is parsed whole; it takes several times its size in memory. JSON lines have no such bound. */
const MAX_ARRAY_BYTES = 256 * 2 ** 20;
const NEWLINE = 0x0a;
const BRACKET = "[".charCodeAt(0);

/**
 * JSON lines, or one JSON array of objects, told apart by the first byte. UTF-8; a byte order mark is dropped, blank lines are
 * passed over.
 * @throws KeystoneError (from rows) tasks/unreadable, tasks/too-large
 */
export function jsonFile(path: string, head: Uint8Array): RowFile {
  const isArray = withoutMark(head).find((byte) => byte > 0x20) === BRACKET;
  return { columns: null, rows: () => (isArray ? arrayRows(path) : lineRows(path)), close: async () => {} };
}

async function* lineRows(path: string): AsyncGenerator<Row> {
  let line = 0;
  for await (const bytes of lines(path)) {
    line++;
    const row = rowOfLine(line === 1 ? withoutMark(bytes) : bytes, line);
    if (row !== null) yield row;
  }
}

/** The bytes of each line, without its end. */
async function* lines(path: string): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let begin = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, begin)) {
        yield Buffer.concat([...begun, chunk.subarray(begin, end)]);
        [begun, length, begin] = [[], 0, end + 1];
      }
      begun.push(chunk.subarray(begin));
      length += chunk.length - begin;
      if (length > MAX_LINE_BYTES) throw tooLarge(basename(path), "a line", length, MAX_LINE_BYTES);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  yield Buffer.concat(begun);
}

function rowOfLine(bytes: Uint8Array, line: number): Row | null {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { line, reason: "is not valid UTF-8" };
  }
  if (text.trim() === "") return null;
  try {
    return { line, value: JSON.parse(text) as unknown };
  } catch {
    return { line, reason: "is not valid JSON" };
  }
}

async function* arrayRows(path: string): AsyncGenerator<Row> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (size > MAX_ARRAY_BYTES) throw tooLarge(basename(path), "a JSON array", size, MAX_ARRAY_BYTES);
  let values: unknown;
  try {
    values = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw unreadable(path, new Error(`it begins like a JSON array but is none (${reason})`, { cause }));
  }
  for (const [index, value] of (values as unknown[]).entries()) yield { line: index + 1, value };
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
