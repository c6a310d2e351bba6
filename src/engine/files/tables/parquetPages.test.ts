import { describe, expect, it } from "vitest";
import type { ColumnMetaData } from "hyparquet";
import { checkPages, type Levels } from "./parquetPages.ts";

/* Thrift's compact protocol, as much of it as a page header needs. */
const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))]);
const i32 = (n: number): number[] => [0x15, ...varint(n >= 0 ? n * 2 : -n * 2 - 1)];
const struct = (delta: number, fields: number[]): number[] => [(delta << 4) | 12, ...fields, 0];

interface Page {
  values: number;
  body: number[];
  /** PLAIN is 0, RLE_DICTIONARY is 8, BYTE_STREAM_SPLIT is 9. */
  encoding?: number;
  packed?: number;
  unpacked?: number;
}
/** A data page of the first version: type, sizes, then values and encodings. */
const page = ({
  values,
  body,
  encoding = 0,
  packed = body.length,
  unpacked = body.length,
}: Page): number[] => [
  ...i32(0),
  ...i32(unpacked),
  ...i32(packed),
  ...struct(2, [...i32(values), ...i32(encoding), ...i32(3), ...i32(3)]),
  0,
  ...body,
];
/** Levels of a page: their length, then runs. */
const levels = (...runs: number[]): number[] => [runs.length, 0, 0, 0, ...runs];
/** `count` times the value 1. */
const run = (count: number): number[] => [...varint(count * 2), 1];

const column = (values: number): ColumnMetaData =>
  ({ codec: "UNCOMPRESSED", num_values: BigInt(values), total_uncompressed_size: 100n }) as ColumnMetaData;
const check =
  (values: number, bytes: number[], of: Levels = { repetition: 0, definition: 0 }) =>
  () =>
    checkPages(Uint8Array.from(bytes), column(values), of);
const OPTIONAL: Levels = { repetition: 0, definition: 1 };

describe("pages whose sizes agree", () => {
  it("are accepted: plain values, levels, dictionary indices", () => {
    expect(check(2, page({ values: 2, body: [1, 0, 0, 0, 2, 0, 0, 0] }))).not.toThrow();
    expect(check(3, page({ values: 3, body: [...levels(...run(3)), 0, 0] }), OPTIONAL)).not.toThrow();
    expect(check(5, page({ values: 5, encoding: 8, body: [1, ...run(5)] }))).not.toThrow();
    // eight values bit-packed, of which five count
    expect(check(5, page({ values: 5, encoding: 8, body: [1, 3, 0b10101] }))).not.toThrow();
  });
});

describe("pages that declare more than there is", () => {
  it.each([
    [
      "bytes behind the column",
      page({ values: 1, body: [0], packed: 1000 }),
      /page of 1000 bytes ends behind/,
    ],
    ["a size below zero", page({ values: 1, body: [0], packed: -4 }), /page of -4 bytes/],
    [
      "to unpack to gigabytes",
      page({ values: 1, body: [0], unpacked: 2 ** 31 - 1 }),
      /unpacks to 2147483647/,
    ],
    [
      "more values than the column",
      page({ values: 2 ** 30, body: [0] }),
      /declares 1073741824 where at most 3/,
    ],
    ["values below zero", page({ values: -1, body: [0] }), /declares -1/],
    ["fewer values than the column", page({ values: 2, body: [0, 0] }), /hold 1 values fewer/],
    [
      "an encoding that is not read",
      page({ values: 3, encoding: 9, body: [0] }),
      /BYTE_STREAM_SPLIT is not read/,
    ],
    [
      "a run of dictionary indices without end",
      page({ values: 3, encoding: 8, body: [1, ...run(2 ** 29)] }),
      /run of 536870912 values where 3 are left/,
    ],
    [
      "an empty run, again and again",
      page({ values: 3, encoding: 8, body: [1, 0, 0, 0, 0] }),
      /run of 0 values/,
    ],
    ["indices of 200 bits", page({ values: 3, encoding: 8, body: [200, ...run(3)] }), /packs 200 bits/],
  ])("%s are refused", (_what, bytes, sentence) => {
    expect(check(3, bytes)).toThrow(sentence);
  });

  it("in a run of levels are refused", () => {
    const bytes = page({ values: 3, body: levels(...run(2 ** 28)) });
    expect(check(3, bytes, OPTIONAL)).toThrow(/run of 268435456 values where 3 are left/);
  });
});
