import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesSource } from "#engine/files/byteSource.ts";
import { readHeader } from "../read/readHeader.ts";
import { encodeHeader, planShards, type PlannedTensor } from "./planShards.ts";

const WIDTHS = { F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1 };

function tensor(
  name: string,
  dtype: keyof typeof WIDTHS,
  shape: number[],
  file = "model.safetensors",
  begin = 0,
): PlannedTensor {
  return { name, dtype, shape, bytes: shape.reduce((product, n) => product * n, WIDTHS[dtype]), file, begin };
}

const anyTensors = fc.uniqueArray(
  fc.record({
    name: fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((name) => name !== "__metadata__" && name !== "__proto__"),
    dtype: fc.constantFrom("F32", "F16", "BF16", "I64", "U8"),
    shape: fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, minLength: 1, maxLength: 12 },
);

describe("the header of a safetensors file", () => {
  it("is padded with spaces so that data begins on a multiple of 8, and says format pt", () => {
    for (const name of ["a", "ab", "abc", "abcd", "ä", "🔑", 'with "quotes"']) {
      const header = encodeHeader([tensor(name, "F16", [3])]);
      expect(header.byteLength % 8).toBe(0);
      const text = new TextDecoder().decode(header.subarray(8));
      expect(JSON.parse(text)).toEqual({
        __metadata__: { format: "pt" },
        [name]: { dtype: "F16", shape: [3], data_offsets: [0, 6] },
      });
      expect(text.slice(text.lastIndexOf("}") + 1)).toMatch(/^ {0,7}$/);
    }
  });

  it("is what our own reader accepts, for any tensors and any shard size", async () => {
    await fc.assert(
      fc.asyncProperty(anyTensors, fc.integer({ min: 1, max: 2000 }), async (specs, maxBytes) => {
        const tensors = specs.map(({ name, dtype, shape }) => tensor(name, dtype, shape));
        const plan = planShards(tensors, maxBytes, null);
        const seen: string[] = [];
        for (const shard of plan.shards) {
          const file = new Uint8Array(shard.bytes);
          file.set(shard.header);
          const { entries, metadata } = await readHeader(bytesSource(shard.file, file));
          expect(metadata.get("format")).toBe("pt");
          seen.push(...entries.map(({ name }) => name));
          const data = shard.bytes - shard.header.byteLength;
          expect(data <= maxBytes || shard.tensors.length === 1).toBe(true);
        }
        expect(seen.sort()).toEqual(tensors.map(({ name }) => name).sort());
      }),
    );
  });
});

describe("planning shards", () => {
  it("keeps the source's files and the order of its bytes", () => {
    const plan = planShards(
      [
        tensor("b", "F32", [2], "x-2.safetensors", 8),
        tensor("a", "F32", [2], "x-2.safetensors", 0),
        tensor("c", "F16", [1], "x-1.safetensors"),
      ],
      null,
      {
        metadata: { total_size: 1, made_by: "someone" },
      },
    );
    expect(plan.shards.map(({ file, tensors }) => [file, tensors.map(({ name }) => name)])).toEqual([
      ["x-2.safetensors", ["a", "b"]],
      ["x-1.safetensors", ["c"]],
    ]);
    expect(plan.index).toEqual({
      metadata: { total_size: 18, made_by: "someone" },
      weight_map: { a: "x-2.safetensors", b: "x-2.safetensors", c: "x-1.safetensors" },
    });
  });

  it("numbers shards by size as Hugging Face does, and writes no index for a single one", () => {
    const tensors = ["a", "b", "c"].map((name) => tensor(name, "F32", [10]));
    expect(planShards(tensors, 80, null).shards.map(({ file }) => file)).toEqual([
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ]);
    const single = planShards(tensors, 120, { metadata: {} });
    expect(single.shards.map(({ file }) => file)).toEqual(["model.safetensors"]);
    expect(single.index).toBeNull();
  });

  it("begins every tensor of a shard by size on a multiple of its element", () => {
    const plan = planShards(
      [tensor("flags", "U8", [3]), tensor("half", "F16", [3]), tensor("full", "F32", [3])],
      1000,
      null,
    );
    expect(plan.shards[0].tensors.map(({ name }) => name)).toEqual(["full", "half", "flags"]);
  });

  it("refuses a source file whose name leads out of the folder", () => {
    for (const file of ["../model.safetensors", "a/b.safetensors", "c:x.safetensors", "model.bin"]) {
      expect(() => planShards([tensor("a", "F32", [1], file)], null, null)).toThrow(
        expect.objectContaining({ code: "export/bad-name" }) as Error,
      );
    }
  });
});
