import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeystoneError } from "#shared/errors.ts";
import { bytesSource } from "#engine/files/byteSource.ts";
import type { Metadata, MetadataEntry } from "#engine/formats/gguf/layout/metadata.ts";
import { readGgufHeader, type GgufHeader } from "#engine/formats/gguf/read/readGgufHeader.ts";
import { encodeHeader, padding, type TableEntry } from "#engine/formats/gguf/write/metadataWriter.ts";
import { soaked } from "../support/soak.ts";

const F32 = 0;
const Q4_0 = 2;

const METADATA: Metadata = new Map<string, MetadataEntry>([
  ["general.architecture", { type: "string", value: "llama" }],
  ["general.alignment", { type: "u32", value: 32 }],
  ["llama.block_count", { type: "u32", value: 2 }],
  ["tokenizer.ggml.tokens", { type: "string", value: ["a", "b", "ü", "\u0120t"] }],
  ["tokenizer.ggml.scores", { type: "f32", value: [0, -1, -2.5, -3] }],
  ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
]);
const TABLE: readonly TableEntry[] = [
  { name: "token_embd.weight", type: F32, shape: [4, 8], offset: 0 },
  { name: "blk.0.attn_q.weight", type: Q4_0, shape: [2, 64], offset: 128 },
];
/** 128 bytes of f32 and 2 × 36 bytes of blocks, padded. */
const DATA_BYTES = 128 + 96;
const END_PADDING = 96 - 2 * 36;

function fileOf(metadata: Metadata = METADATA, table = TABLE, dataBytes = DATA_BYTES): Uint8Array {
  const header = encodeHeader(metadata, table);
  const file = new Uint8Array(header.byteLength + dataBytes);
  file.set(header);
  return file;
}

function read(bytes: Uint8Array): Promise<GgufHeader> {
  return readGgufHeader(bytesSource("model.gguf", bytes));
}

async function codeOf(bytes: Uint8Array): Promise<string | null> {
  try {
    await read(bytes);
    return null;
  } catch (error) {
    if (error instanceof KeystoneError) return error.code;
    throw error;
  }
}

/** The file with some of its bytes replaced. */
function patched(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

const u64 = (value: bigint): number[] => [...new Uint8Array(new BigUint64Array([value]).buffer)];
const withEntry = (key: string, entry: MetadataEntry): Metadata => new Map([...METADATA, [key, entry]]);

describe("reading a GGUF header", () => {
  it("gives back what was written, shapes outermost first and ranges in the file", async () => {
    const header = await read(fileOf());
    expect([...header.metadata]).toEqual([...METADATA]);
    const begin = encodeHeader(METADATA, TABLE).byteLength;
    expect(begin % 32).toBe(0);
    expect(header.tensors).toMatchObject([
      { name: "token_embd.weight", shape: [4, 8], parameters: 32, begin, end: begin + 128 },
      { name: "blk.0.attn_q.weight", shape: [2, 64], begin: begin + 128, end: begin + 200 },
    ]);
  });

  it("gives back any metadata of any type", async () => {
    const scalar = fc.oneof(
      fc.record({ type: fc.constant("u8" as const), value: fc.integer({ min: 0, max: 255 }) }),
      fc.record({ type: fc.constant("i8" as const), value: fc.integer({ min: -128, max: 127 }) }),
      fc.record({ type: fc.constant("u16" as const), value: fc.integer({ min: 0, max: 65_535 }) }),
      fc.record({ type: fc.constant("i32" as const), value: fc.integer() }),
      fc.record({ type: fc.constant("f64" as const), value: fc.double({ noNaN: true }) }),
      fc.record({
        type: fc.constant("u64" as const),
        value: fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n - 1n }),
      }),
      fc.record({ type: fc.constant("string" as const), value: fc.string({ unit: "grapheme" }) }),
      fc.record({ type: fc.constant("i16" as const), value: fc.array(fc.integer({ min: -9, max: 9 })) }),
      fc.record({ type: fc.constant("bool" as const), value: fc.array(fc.boolean()) }),
      fc.record({ type: fc.constant("string" as const), value: fc.array(fc.string({ unit: "grapheme" })) }),
    );
    const entries = fc.uniqueArray(fc.tuple(fc.string({ unit: "grapheme", minLength: 1 }), scalar), {
      selector: ([key]) => key,
    });
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        const metadata = new Map<string, MetadataEntry>(list.filter(([key]) => key !== "general.alignment"));
        expect([...(await read(fileOf(metadata, []))).metadata]).toEqual([...metadata]);
      }),
    );
  });

  it("reads a header longer than what is read at first", async () => {
    const tokens = Array.from({ length: 200_000 }, (_, i) => `token number ${i}`);
    const header = await read(fileOf(withEntry("long", { type: "string", value: tokens })));
    expect(header.metadata.get("long")?.value).toHaveLength(200_000);
  });

  it("pads to the alignment", () => {
    expect([0, 1, 31, 32, 33].map(padding)).toEqual([0, 31, 1, 0, 31]);
  });
});

describe("a GGUF file that is not what it says", () => {
  const whole = fileOf();

  it("is refused where magic or version are others", async () => {
    expect(await codeOf(patched(whole, 0, [0x47, 0x47, 0x4d, 0x4c]))).toBe("gguf/not-gguf");
    expect(await codeOf(patched(whole, 4, [1, 0, 0, 0]))).toBe("gguf/version");
    expect(await codeOf(patched(whole, 4, [0, 0, 0, 3]))).toBe("gguf/version");
    expect(await codeOf(patched(whole, 4, [2]))).toBe(null);
  });

  it("is refused where it announces more than is read, before anything is allocated", async () => {
    for (const count of [2n ** 64n - 1n, 2n ** 40n, 2n ** 32n]) {
      expect(await codeOf(patched(whole, 8, u64(count)))).toBe("gguf/too-many");
      expect(await codeOf(patched(whole, 16, u64(count)))).toBe("gguf/too-many");
    }
    expect(await codeOf(patched(whole, 8, u64(3n)))).toMatch(/^gguf\//);
    const array = fileOf(new Map([["a", { type: "u8", value: [1, 2, 3] }]]), []);
    // behind magic, version and counts: key, its type and the type of its values
    const at = 24 + (8 + 1) + 4 + 4;
    expect(await codeOf(patched(array, at, u64(2n ** 50n)))).toBe("gguf/too-many");
    expect(await codeOf(patched(array, at, u64(3_000_000n)))).toBe("gguf/truncated");
  });

  it("is refused where it ends early, wherever that is", async () => {
    for (let bytes = 0; bytes < whole.byteLength - END_PADDING; bytes += 7)
      expect(await codeOf(whole.slice(0, bytes)), `${bytes} bytes`).toMatch(
        /^gguf\/(truncated|past-end|not-gguf)$/,
      );
  });

  it("is refused where names come twice, tensors overlap, leave the file or lie unaligned", async () => {
    const [first, second] = TABLE;
    const cases: readonly [readonly TableEntry[], string][] = [
      [[first, { ...second, name: first.name }], "gguf/duplicate-tensor"],
      [[first, { ...second, offset: 96 }], "gguf/overlap"],
      [[first, { ...second, offset: 4096 }], "gguf/past-end"],
      [[first, { ...second, offset: 130 }], "gguf/unaligned"],
      [[first, { ...second, shape: [2, 48] }], "gguf/bad-shape"],
      [[first, { ...second, type: 99 }], "gguf/unknown-type"],
      [[first, { ...second, shape: [2 ** 40, 2 ** 30] }], "gguf/bad-shape"],
      [[{ ...first, shape: [1, 1, 1, 1, 32] }, second], "gguf/bad-shape"],
      [[{ ...first, name: "x".repeat(64) }, second], "gguf/bad-name"],
    ];
    for (const [table, code] of cases) expect(await codeOf(fileOf(METADATA, table))).toBe(code);
  });

  it("is refused where its alignment is none", async () => {
    for (const value of [0, 7, 12, 2 ** 20]) {
      const metadata = withEntry("general.alignment", { type: "u32", value });
      expect(await codeOf(fileOf(metadata, [])), String(value)).toBe("gguf/bad-alignment");
    }
  });

  it("is opened or refused with one of our sentences, whatever bytes are changed", async () => {
    const change = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: whole.byteLength - 1 }),
        fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
      ),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(change, fc.nat(64), async (changes, cut) => {
        const copy = whole.slice(0, whole.byteLength - cut);
        for (const [at, value] of changes) if (at < copy.byteLength) copy[at] = value;
        const code = await codeOf(copy);
        expect(code ?? "gguf/").toMatch(/^gguf\//);
      }),
      { numRuns: soaked(1000, 5000) },
    );
  });

  it("is opened or refused with one of our sentences, whatever bytes follow magic and version", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (rest) => {
        const bytes = new Uint8Array([0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, ...rest]);
        expect((await codeOf(bytes)) ?? "gguf/").toMatch(/^gguf\//);
      }),
      { numRuns: soaked(1000, 3000) },
    );
  });
});
