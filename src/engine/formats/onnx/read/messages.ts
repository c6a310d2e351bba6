import { KeystoneError } from "#shared/errors.ts";
import type { ByteSource } from "#engine/files/byteSource.ts";
import { BYTES, FIXED32, FIXED64, MAX_VARINT_BYTES, VARINT, varintIn } from "#engine/files/protobuf.ts";

/** One field of a protobuf message. */
export interface Field {
  readonly number: number;
  /** A number as written (up to 2^53 exact, beyond that only large), or null where the field is bytes. */
  readonly value: number | null;
  /** Its bytes in the file: [begin, end). */
  readonly begin: number;
  readonly end: number;
}

/** Bytes looked at in one go: most messages of a graph are far shorter, and data is stepped over unread. */
const WINDOW_BYTES = 65_536;

/** A stretch of a file, seen through a window that moves with the reader. */
export class WindowedSource {
  readonly source: ByteSource;
  private window = new Uint8Array();
  private start = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** The bytes [begin, end), in memory that the next call may reuse; at most {@link WINDOW_BYTES}. */
  async peek(begin: number, end: number): Promise<Uint8Array> {
    if (begin < this.start || end > this.start + this.window.byteLength) {
      this.window = new Uint8Array(Math.min(WINDOW_BYTES, this.source.byteLength - begin));
      this.start = begin;
      await this.source.readInto(this.window, begin);
    }
    return this.window.subarray(begin - this.start, end - this.start);
  }
}

/**
 * The fields of the message in [begin, end), front to back. Nothing is allocated for what a length claims: it is held
 * against the message's own end first.
 * @throws KeystoneError onnx/malformed, checkpoint/read-failed
 */
export async function* fieldsOf(
  file: WindowedSource,
  begin: number,
  end: number,
): AsyncGenerator<Field, void, undefined> {
  for (let at = begin; at < end;) {
    const tag = await varint(file, at, end);
    const [number, wire] = [Math.floor(tag.value / 8), tag.value % 8];
    if (number === 0) throw malformed(file, at, "names field 0");
    at = tag.end;
    if (wire === VARINT) {
      const { value, end: next } = await varint(file, at, end);
      yield { number, value, begin: at, end: next };
      at = next;
      continue;
    }
    const length = wire === BYTES ? await varint(file, at, end) : fixed(file, at, wire);
    const last = length.end + length.value;
    if (!(last <= end))
      throw malformed(file, at, `says ${length.value} bytes where ${end - length.end} are left`);
    yield { number, value: null, begin: length.end, end: last };
    at = last;
  }
}

function fixed(file: WindowedSource, at: number, wire: number): { value: number; end: number } {
  if (wire === FIXED64) return { value: 8, end: at };
  if (wire === FIXED32) return { value: 4, end: at };
  throw malformed(file, at, `has a field of kind ${wire}, which messages of today do not have`);
}

async function varint(
  file: WindowedSource,
  at: number,
  end: number,
): Promise<{ value: number; end: number }> {
  const bytes = await file.peek(at, Math.min(end, at + MAX_VARINT_BYTES));
  const found = varintIn(bytes, 0);
  if (!found) throw malformed(file, at, "has a number that does not end");
  return { value: found.value, end: at + found.end };
}

/** @throws KeystoneError onnx/malformed where the field is a number, longer than a name ever is, or not UTF-8 */
export async function textOf(file: WindowedSource, { value, begin, end }: Field): Promise<string> {
  if (value !== null) throw malformed(file, begin, "has a number where a name belongs");
  if (end - begin > MAX_NAME_BYTES)
    throw malformed(file, begin, `has a name of ${end - begin} bytes; names have up to ${MAX_NAME_BYTES}`);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await file.peek(begin, end));
  } catch (cause) {
    if (cause instanceof KeystoneError) throw cause;
    throw malformed(file, begin, "has a name that is not UTF-8", cause);
  }
}

const MAX_NAME_BYTES = 16_384;

/** The numbers of a repeated field, packed or one alone. @param limit more are refused before they are read */
export async function numbersOf(
  file: WindowedSource,
  { value, begin, end }: Field,
  limit: number,
): Promise<number[]> {
  if (value !== null) return [value];
  if (end - begin > limit * MAX_VARINT_BYTES)
    throw malformed(file, begin, `lists more than ${limit} numbers`);
  const bytes = await file.peek(begin, end);
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const found = varintIn(bytes, at);
    if (!found) throw malformed(file, begin + at, "has a number that does not end");
    numbers.push(found.value);
    at = found.end;
  }
  if (numbers.length > limit) throw malformed(file, begin, `lists more than ${limit} numbers`);
  return numbers;
}

export function malformed(
  { source }: WindowedSource,
  at: number,
  what: string,
  cause?: unknown,
): KeystoneError {
  return new KeystoneError(
    "onnx/malformed",
    `${source.name} is not an ONNX model: what begins at byte ${at} ${what}.`,
    "The file is damaged or something else: download or export it again.",
    { file: source.name, at },
    { cause },
  );
}
