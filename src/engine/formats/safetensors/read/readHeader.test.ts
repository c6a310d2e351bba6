import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeystoneError } from "#shared/errors.ts";
import { bytesSource, type ByteSource } from "#engine/files/byteSource.ts";
import { readHeader } from "./readHeader.ts";

function file(header: Uint8Array | string, data = new Uint8Array(), claimed?: bigint): Uint8Array {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, claimed ?? BigInt(bytes.byteLength), true);
  return new Uint8Array(Buffer.concat([prefix, bytes, data]));
}

const VALID =
  '{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}';

/** True when the header is accepted; false when it is refused with a KeystoneError; anything else escapes. */
async function accepted(bytes: Uint8Array): Promise<boolean> {
  let asked = 0;
  const inner = bytesSource("fuzz.safetensors", bytes);
  const source: ByteSource = {
    ...inner,
    readInto: (target, start) => {
      asked += target.byteLength;
      return inner.readInto(target, start);
    },
  };
  try {
    const { entries } = await readHeader(source);
    const covered = entries.reduce((sum, { begin, end }) => sum + end - begin, 0);
    expect(entries.every(({ begin, end }) => begin >= 8 && begin <= end && end <= bytes.byteLength)).toBe(
      true,
    );
    expect(covered).toBeLessThan(bytes.byteLength);
    return true;
  } catch (error) {
    if (!(error instanceof KeystoneError)) throw error;
    return false;
  } finally {
    // never more memory than the file itself holds, whatever the header claims
    expect(asked).toBeLessThanOrEqual(bytes.byteLength);
  }
}

describe("readHeader", () => {
  it("gives the entries in the order of their bytes, with ranges in the file", async () => {
    const header = await readHeader(bytesSource("x", file(VALID, new Uint8Array(16))));
    const begin = 8 + VALID.length;
    expect(header.dataBegin).toBe(begin);
    expect(header.metadata.get("format")).toBe("pt");
    expect(header.entries).toEqual([
      { name: "a", dtype: "F16", shape: [2, 3], begin, end: begin + 12 },
      { name: "b", dtype: "F32", shape: [1], begin: begin + 12, end: begin + 16 },
    ]);
  });

  it("accepts a file without tensors, as an empty shard is", async () => {
    const header = await readHeader(bytesSource("x", file("{}")));
    expect(header.entries).toEqual([]);
  });

  it("accepts quotes, braces and numbers inside names", async () => {
    const name = '{"1.5": [-2], \\"';
    const text = JSON.stringify({ [name]: { dtype: "U8", shape: [1], data_offsets: [0, 1] } });
    const header = await readHeader(bytesSource("x", file(text, new Uint8Array(1))));
    expect(header.entries[0].name).toBe(name);
  });

  it("accepts one key in several objects", async () => {
    const text =
      '{"dtype":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"shape":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
    await expect(readHeader(bytesSource("x", file(text)))).resolves.toMatchObject({
      entries: [{ name: "dtype" }, { name: "shape" }],
    });
  });

  it("refuses a header nested a hundred thousand deep without overflowing the stack", async () => {
    expect(await accepted(file(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`))).toBe(false);
    expect(await accepted(file(`{"a":${"[".repeat(100_000)}`))).toBe(false);
  });

  it("refuses a name of a million escapes quickly", async () => {
    expect(await accepted(file(`{"${"\\n".repeat(1_000_000)}":1}`))).toBe(false);
  });
});

describe("a fuzzed header ends in success or in a KeystoneError", () => {
  it("random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await accepted(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("random bytes behind a fitting length and a brace", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 100 }),
        fc.uint8Array({ maxLength: 20 }),
        async (bytes, data) => {
          await accepted(file(Uint8Array.of(0x7b, ...bytes), data));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("any claimed length over a valid header", async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), async (claimed) => {
        await accepted(file(VALID, new Uint8Array(16), claimed));
      }),
      { numRuns: 1000 },
    );
  });

  it("a valid header with bytes changed, dropped and doubled", async () => {
    const edit = fc.record({
      at: fc.nat(VALID.length - 1),
      kind: fc.constantFrom("set", "drop", "double"),
      byte: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        const bytes = [...new TextEncoder().encode(VALID)];
        for (const { at, kind, byte } of edits) {
          if (kind === "set") bytes[at % bytes.length] = byte;
          else
            bytes.splice(
              at % bytes.length,
              kind === "drop" ? 1 : 0,
              ...(kind === "double" ? [bytes[at % bytes.length]] : []),
            );
        }
        await accepted(file(Uint8Array.from(bytes), new Uint8Array(16)));
      }),
      { numRuns: 3000 },
    );
  });

  it("a valid header cut anywhere", async () => {
    const whole = file(VALID, new Uint8Array(16));
    for (let length = 0; length < whole.byteLength; length++)
      expect(await accepted(whole.slice(0, length))).toBe(false);
    expect(await accepted(whole)).toBe(true);
  });

  it("random JSON", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        await accepted(file(json));
      }),
      { numRuns: 2000 },
    );
  });

  it("entries with random types, shapes and offsets", async () => {
    const integer = fc.oneof(fc.nat(20), fc.constantFrom(2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300, -1, 0.5));
    const tensor = fc.record({
      dtype: fc.oneof(fc.constantFrom("F32", "F16", "BF16", "F4", "U8", "C64"), fc.string()),
      shape: fc.array(integer, { maxLength: 4 }),
      data_offsets: fc.array(integer, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), tensor, { maxKeys: 4 }),
        fc.uint8Array({ maxLength: 64 }),
        async (tensors, data) => {
          await accepted(file(JSON.stringify(tensors), data));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("accepts every valid layout", async () => {
    const layout = fc.array(fc.record({ name: fc.string(), rows: fc.nat(4), columns: fc.nat(4) }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(layout, async (tensors) => {
        const entries = new Map<string, unknown>();
        let at = 0;
        for (const { name, rows, columns } of tensors) {
          if (entries.has(name) || name === "__metadata__" || name === "__proto__") continue;
          entries.set(name, {
            dtype: "F32",
            shape: [rows, columns],
            data_offsets: [at, at + 4 * rows * columns],
          });
          at += 4 * rows * columns;
        }
        expect(await accepted(file(JSON.stringify(Object.fromEntries(entries)), new Uint8Array(at)))).toBe(
          true,
        );
      }),
    );
  });
});
