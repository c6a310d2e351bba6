/** Longest encoding of a number. */
export const MAX_VARINT_BYTES = 10;
/** Kinds of fields on the wire. */
export const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

/** A number at a place in memory, exact to 2^53, and where it ends; null where it does not end. */
export function varintIn(bytes: Uint8Array, at: number): { value: number; end: number } | null {
  let value = 0;
  for (let i = 0; i < MAX_VARINT_BYTES && at + i < bytes.length; i++) {
    const byte = bytes[at + i];
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return null;
}

/** One field of a message in memory: its bytes, or a number as written. */
export interface MessageField {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

/**
 * The fields of a message in memory, front to back; a length is held against the message's own end.
 * @throws RangeError where the message is cut short or not one
 */
export function* messageFields(bytes: Uint8Array): Generator<MessageField, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const tag = numberAt(bytes, at);
    const wire = tag.value % 8;
    const length =
      wire === BYTES ? numberAt(bytes, tag.end) : { value: wire === FIXED64 ? 8 : 4, end: tag.end };
    if (![VARINT, FIXED64, BYTES, FIXED32].includes(wire)) throw new RangeError(`a field is of kind ${wire}`);
    const number = Math.floor(tag.value / 8);
    if (wire === VARINT) {
      const { value, end } = numberAt(bytes, tag.end);
      yield { number, value, bytes: bytes.subarray(tag.end, end) };
      at = end;
      continue;
    }
    at = length.end + length.value;
    if (at > bytes.length) throw new RangeError(`a field of ${length.value} bytes goes past the end`);
    yield { number, value: NaN, bytes: bytes.subarray(length.end, at) };
  }
}

function numberAt(bytes: Uint8Array, at: number): { value: number; end: number } {
  const found = varintIn(bytes, at);
  if (!found) throw new RangeError("a number does not end");
  return found;
}
