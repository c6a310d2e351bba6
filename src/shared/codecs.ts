import { z } from "zod";

/**
 * How numbers are stored. `rtn` is the paper's float-offset round-to-nearest; `…-minmax` are the authors' NormalFloat variants;
 * the codecs named after a format are that format's own, bit for bit.
 */
export const codecName = z.enum([
  "rtn",
  "int",
  "nf4",
  "nf3",
  "nf4-minmax",
  "nf3-minmax",
  "q4_0",
  "q4_1",
  "q5_0",
  "q5_1",
  "q8_0",
  "compressed-tensors",
  "gptq",
  "awq",
  "matmulnbits",
  "f16",
  "bf16",
]);
export type CodecName = z.infer<typeof codecName>;

/** What a codec can be asked for, and what it costs; one table for checks, labels, forms and sizes. */
export interface CodecFacts {
  readonly title: string;
  /** In labels, where the name itself is too long. */
  readonly short?: string;
  readonly bits: readonly number[];
  /** Whether `symmetric` may be chosen. */
  readonly symmetric: boolean;
  /** `any`; `rows` = groups along a row, or the row (`group:N`, `channel`); or the blocks that the format knows. */
  readonly blocks: "any" | "rows" | `group:${number}` | readonly `group:${number}`[];
  /** Bits of one block's constants beside its codes; `dtype` is what ŵ is rounded to (`F32`, `F16`, `BF16`). */
  readonly constants: (bits: number, symmetric: boolean, dtype: string) => number;
  /** Set where the format's runtimes compute in half precision whatever the checkpoint's type: ŵ of an F32 tensor is F16. */
  readonly half?: true;
  /** Set where they compute in f32 whatever the checkpoint's type: ŵ is not rounded. */
  readonly full?: true;
  /** Set where each weight is rounded by itself: no codes, no block, no range that a clip could cut. */
  readonly rounds?: "F16" | "BF16";
  /** Set where the last group of a row may be shorter than the others. */
  readonly shortBlocks?: true;
}

const ANY_BITS = [2, 3, 4, 5, 6, 7, 8] as const;

export const CODECS: Readonly<Record<CodecName, CodecFacts>> = {
  rtn: {
    title: "Round to nearest, float offset",
    bits: ANY_BITS,
    symmetric: false,
    blocks: "any",
    constants: () => 16 + 16,
  },
  int: {
    title: "Integer",
    bits: ANY_BITS,
    symmetric: true,
    blocks: "any",
    constants: (bits, symmetric) => 16 + (symmetric ? 0 : bits),
  },
  nf4: { title: "NormalFloat 4", bits: [4], symmetric: false, blocks: "any", constants: () => 16 },
  nf3: { title: "NormalFloat 3", bits: [3], symmetric: false, blocks: "any", constants: () => 16 },
  "nf4-minmax": {
    title: "NormalFloat 4, min to max",
    bits: [4],
    symmetric: false,
    blocks: "any",
    constants: () => 16 + 16,
  },
  "nf3-minmax": {
    title: "NormalFloat 3, min to max",
    bits: [3],
    symmetric: false,
    blocks: "any",
    constants: () => 16 + 16,
  },
  q4_0: { title: "GGUF Q4_0", bits: [4], symmetric: false, blocks: "group:32", constants: () => 16 },
  q4_1: { title: "GGUF Q4_1", bits: [4], symmetric: false, blocks: "group:32", constants: () => 16 + 16 },
  q5_0: { title: "GGUF Q5_0", bits: [5], symmetric: false, blocks: "group:32", constants: () => 16 },
  q5_1: { title: "GGUF Q5_1", bits: [5], symmetric: false, blocks: "group:32", constants: () => 16 + 16 },
  q8_0: { title: "GGUF Q8_0", bits: [8], symmetric: false, blocks: "group:32", constants: () => 16 },
  "compressed-tensors": {
    title: "compressed-tensors integer",
    short: "ct",
    bits: [4, 8],
    symmetric: true,
    blocks: "rows",
    constants: (bits, symmetric, dtype) => (dtype === "F32" ? 32 : 16) + (symmetric ? 0 : bits),
  },
  gptq: {
    title: "GPTQ integer, round to nearest",
    bits: [2, 3, 4, 8],
    symmetric: true,
    blocks: "rows",
    // the file has zero points in any case
    constants: (bits) => 16 + bits,
    half: true,
  },
  awq: {
    title: "AWQ integer, round to nearest",
    bits: [4],
    symmetric: false,
    blocks: "rows",
    constants: (bits) => 16 + bits,
    half: true,
  },
  matmulnbits: {
    title: "onnxruntime MatMulNBits",
    bits: [4, 8],
    symmetric: true,
    blocks: ["group:16", "group:32", "group:64", "group:128", "group:256"],
    constants: (bits, symmetric) => 32 + (symmetric ? 0 : bits),
    full: true,
    shortBlocks: true,
  },
  f16: { title: "F16", bits: [16], symmetric: false, blocks: "any", constants: () => 0, rounds: "F16" },
  bf16: { title: "BF16", bits: [16], symmetric: false, blocks: "any", constants: () => 0, rounds: "BF16" },
};

/** A contradiction, and the field that it is found in. */
interface CodecIssue {
  field: "bits" | "symmetric" | "block" | "clip";
  message: string;
}

/** What contradicts a codec in a recipe's fields; empty = nothing. @param value.clips whether a clip is asked for */
export function codecIssues(value: {
  codec: CodecName;
  bits: number;
  symmetric: boolean;
  block: string;
  clips: boolean;
}): CodecIssue[] {
  const { bits, symmetric, blocks, rounds } = CODECS[value.codec];
  const issues: CodecIssue[] = [];
  if (value.clips && rounds) {
    issues.push({
      field: "clip",
      message: `${value.codec} rounds each weight by itself: there is no range that a clip could cut`,
    });
  }
  if (!bits.includes(value.bits)) {
    issues.push({
      field: "bits",
      message: `${value.codec} stores ${bits.join(" or ")} bits, but bits is ${value.bits}`,
    });
  }
  if (value.symmetric && !symmetric) {
    issues.push({
      field: "symmetric",
      message: `${value.codec} has no choice of a symmetric form; ${SYMMETRIC.join(", ")} have`,
    });
  }
  if (!codecHasBlock(value.codec, value.block)) {
    const known = typeof blocks === "string" ? [blocks] : blocks;
    const wanted =
      blocks === "rows" ? '"group:N" or "channel"' : known.map((block) => `"${block}"`).join(" or ");
    issues.push({ field: "block", message: `${value.codec} has blocks of ${wanted}, not "${value.block}"` });
  }
  return issues;
}

/** Whether a codec knows blocks of that kind and size; whether they divide a model's rows is another question. */
export function codecHasBlock(codec: CodecName, block: string): boolean {
  const { blocks } = CODECS[codec];
  if (blocks === "any") return true;
  if (blocks === "rows") return /^(group:|channel$)/.test(block);
  const known: readonly string[] = typeof blocks === "string" ? [blocks] : blocks;
  return known.includes(block);
}

const SYMMETRIC = Object.entries(CODECS).flatMap(([name, facts]) => (facts.symmetric ? [name] : []));
