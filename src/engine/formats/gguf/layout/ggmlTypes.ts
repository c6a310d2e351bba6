/** How a tensor type of ggml lays weights out: blocks of `weights` consecutive weights of a row, `bytes` bytes each. */
export interface GgmlType {
  readonly id: number;
  readonly name: string;
  readonly weights: number;
  readonly bytes: number;
  /** Whether its blocks become weights here. */
  readonly read: boolean;
}

/** Bytes of a block as a sum of its fields: f16 constants, nibbles, high bits, 6- or 8-bit scales. */
const TYPES: readonly (readonly [id: number, name: string, weights: number, bytes: number])[] = [
  [0, "F32", 1, 4],
  [1, "F16", 1, 2],
  [2, "Q4_0", 32, 2 + 16], // d, 32 nibbles: w = d·(q − 8)
  [3, "Q4_1", 32, 2 + 2 + 16], // d, m, 32 nibbles: w = d·q + m
  [6, "Q5_0", 32, 2 + 4 + 16], // d, 32 fifth bits, 32 nibbles: w = d·(q − 16)
  [7, "Q5_1", 32, 2 + 2 + 4 + 16], // d, m, 32 fifth bits, 32 nibbles: w = d·q + m
  [8, "Q8_0", 32, 2 + 32], // d, 32 signed bytes: w = d·q
  [9, "Q8_1", 32, 2 + 2 + 32],
  [10, "Q2_K", 256, 16 + 64 + 2 + 2], // 16 × (4-bit scale, 4-bit minimum), 2-bit codes, d, dmin: w = d·s·q − dmin·m
  [11, "Q3_K", 256, 32 + 64 + 12 + 2], // third bits, 2-bit codes, 16 6-bit scales, d: w = d·(s − 32)·(q − 4)
  [12, "Q4_K", 256, 2 + 2 + 12 + 128], // d, dmin, 8 × (6-bit scale, 6-bit minimum), nibbles: w = d·s·q − dmin·m
  [13, "Q5_K", 256, 2 + 2 + 12 + 32 + 128], // the same with 256 fifth bits
  [14, "Q6_K", 256, 128 + 64 + 16 + 2], // nibbles, upper two bits, 16 signed scales, d: w = d·s·(q − 32)
  [15, "Q8_K", 256, 4 + 256 + 32], // f32 d, signed bytes, sums of 16 each: w = d·q
  [16, "IQ2_XXS", 256, 2 + 64],
  [17, "IQ2_XS", 256, 2 + 64 + 8],
  [18, "IQ3_XXS", 256, 2 + 96],
  [19, "IQ1_S", 256, 2 + 32 + 16],
  [20, "IQ4_NL", 32, 2 + 16], // d, nibbles into a table of 16 values
  [21, "IQ3_S", 256, 2 + 64 + 8 + 32 + 4],
  [22, "IQ2_S", 256, 2 + 64 + 8 + 8],
  [23, "IQ4_XS", 256, 2 + 2 + 4 + 128], // d, 8 6-bit scales, nibbles into the same table
  [24, "I8", 1, 1],
  [25, "I16", 1, 2],
  [26, "I32", 1, 4],
  [27, "I64", 1, 8],
  [28, "F64", 1, 8],
  [29, "IQ1_M", 256, 32 + 16 + 8],
  [30, "BF16", 1, 2],
  [34, "TQ1_0", 256, 48 + 4 + 2], // five digits of base 3 a byte, four in the last 4, d: w = d·(q − 1)
  [35, "TQ2_0", 256, 64 + 2], // 2-bit codes, d: w = d·(q − 1)
  [39, "MXFP4", 32, 1 + 16], // exponent of the scale, 4-bit floats
  [40, "NVFP4", 64, 4 + 32], // 4 8-bit float scales without a sign, 4-bit floats
  [41, "Q1_0", 128, 2 + 16], // d, signs: w = ±d
  [42, "Q2_0", 64, 2 + 16], // d, 2-bit codes: w = d·(q − 1)
];

/** Types whose blocks become weights here. */
export const READ_TYPES: readonly string[] = [
  ...["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"],
  ...["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ4_NL", "IQ4_XS"],
  ...["TQ1_0", "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0"],
];

/** By number, as a file names them. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map(
  TYPES.map(([id, name, weights, bytes]) => [
    id,
    { id, name, weights, bytes, read: READ_TYPES.includes(name) },
  ]),
);

const BY_NAME: ReadonlyMap<string, GgmlType> = new Map(
  [...GGML_TYPES.values()].map((type) => [type.name, type]),
);

/** A type by its name in the table. */
export function ggmlType(name: string): GgmlType {
  const type = BY_NAME.get(name);
  if (!type) throw new Error(`ggml has no type ${name}`);
  return type;
}

/** What one weight costs. */
export function bitsOfType({ weights, bytes }: GgmlType): number {
  return (bytes * 8) / weights;
}
