import { z } from "zod";

/**
 * How numbers are stored. `rtn` is the paper's float-offset round-to-nearest; `…-minmax` are the authors' NormalFloat variants;
 * the schemes named after a format are that format's own, bit for bit.
 */
export const schemeName = z.enum([
  "affine",
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
  "gptq-int",
  "awq-int",
  "matmulnbits",
  "f16",
  "bf16",
]);
export type SchemeName = z.infer<typeof schemeName>;

/** What a scheme can be asked for, and what it costs; one table for checks, labels, forms and sizes. */
export interface SchemeFacts {
  readonly title: string;
  /** In labels, where the name itself is too long. */
  readonly short?: string;
  readonly bits: readonly number[];
  /** Whether `symmetric` may be chosen. */
  readonly symmetric: boolean;
  /** `any`; `rows` = groups along a row, or the row (`group:N`, `channel`); or the blocks that the format knows. */
  readonly granularities: "any" | "rows" | `group:${number}` | readonly `group:${number}`[];
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

export const SCHEMES: Readonly<Record<SchemeName, SchemeFacts>> = {
  affine: {
    title: "Affine, float offset",
    bits: ANY_BITS,
    symmetric: false,
    granularities: "any",
    constants: () => 16 + 16,
  },
  int: {
    title: "Integer",
    bits: ANY_BITS,
    symmetric: true,
    granularities: "any",
    constants: (bits, symmetric) => 16 + (symmetric ? 0 : bits),
  },
  nf4: { title: "NormalFloat 4", bits: [4], symmetric: false, granularities: "any", constants: () => 16 },
  nf3: { title: "NormalFloat 3", bits: [3], symmetric: false, granularities: "any", constants: () => 16 },
  "nf4-minmax": {
    title: "NormalFloat 4, min to max",
    bits: [4],
    symmetric: false,
    granularities: "any",
    constants: () => 16 + 16,
  },
  "nf3-minmax": {
    title: "NormalFloat 3, min to max",
    bits: [3],
    symmetric: false,
    granularities: "any",
    constants: () => 16 + 16,
  },
  q4_0: { title: "GGUF Q4_0", bits: [4], symmetric: false, granularities: "group:32", constants: () => 16 },
  q4_1: {
    title: "GGUF Q4_1",
    bits: [4],
    symmetric: false,
    granularities: "group:32",
    constants: () => 16 + 16,
  },
  q5_0: { title: "GGUF Q5_0", bits: [5], symmetric: false, granularities: "group:32", constants: () => 16 },
  q5_1: {
    title: "GGUF Q5_1",
    bits: [5],
    symmetric: false,
    granularities: "group:32",
    constants: () => 16 + 16,
  },
  q8_0: { title: "GGUF Q8_0", bits: [8], symmetric: false, granularities: "group:32", constants: () => 16 },
  "compressed-tensors": {
    title: "compressed-tensors integer",
    short: "ct",
    bits: [4, 8],
    symmetric: true,
    granularities: "rows",
    constants: (bits, symmetric, dtype) => (dtype === "F32" ? 32 : 16) + (symmetric ? 0 : bits),
  },
  "gptq-int": {
    title: "Integer in the GPTQ layout",
    bits: [2, 3, 4, 8],
    symmetric: true,
    granularities: "rows",
    // the file has zero points in any case
    constants: (bits) => 16 + bits,
    half: true,
  },
  "awq-int": {
    title: "Integer in the AWQ layout",
    short: "awq-int4",
    bits: [4],
    symmetric: false,
    granularities: "rows",
    constants: (bits) => 16 + bits,
    half: true,
  },
  matmulnbits: {
    title: "onnxruntime MatMulNBits",
    bits: [4, 8],
    symmetric: true,
    granularities: ["group:16", "group:32", "group:64", "group:128", "group:256"],
    constants: (bits, symmetric) => 32 + (symmetric ? 0 : bits),
    full: true,
    shortBlocks: true,
  },
  f16: {
    title: "F16",
    bits: [16],
    symmetric: false,
    granularities: "any",
    constants: () => 0,
    rounds: "F16",
  },
  bf16: {
    title: "BF16",
    bits: [16],
    symmetric: false,
    granularities: "any",
    constants: () => 0,
    rounds: "BF16",
  },
};

/** A contradiction, and the field that it is found in. */
interface SchemeIssue {
  field: "bits" | "symmetric" | "granularity" | "range";
  message: string;
}

/** What contradicts a scheme in a recipe's fields; empty = nothing. @param value.clips whether a clip is asked for */
export function schemeIssues(value: {
  scheme: SchemeName;
  bits: number;
  symmetric: boolean;
  granularity: string;
  clips: boolean;
}): SchemeIssue[] {
  const { bits, symmetric, granularities, rounds } = SCHEMES[value.scheme];
  const issues: SchemeIssue[] = [];
  if (value.clips && rounds) {
    issues.push({
      field: "range",
      message: `${value.scheme} rounds each weight by itself: there is no range that a clip could cut`,
    });
  }
  if (!bits.includes(value.bits)) {
    issues.push({
      field: "bits",
      message: `${value.scheme} stores ${bits.join(" or ")} bits, but bits is ${value.bits}`,
    });
  }
  if (value.symmetric && !symmetric) {
    issues.push({
      field: "symmetric",
      message: `${value.scheme} has no choice of a symmetric form; ${SYMMETRIC.join(", ")} have`,
    });
  }
  if (!schemeHasGranularity(value.scheme, value.granularity)) {
    const known = typeof granularities === "string" ? [granularities] : granularities;
    const wanted =
      granularities === "rows"
        ? '"group:N" or "channel"'
        : known.map((granularity) => `"${granularity}"`).join(" or ");
    issues.push({
      field: "granularity",
      message: `${value.scheme} has blocks of ${wanted}, not "${value.granularity}"`,
    });
  }
  return issues;
}

/** Whether a scheme knows blocks of that kind and size; whether they divide a model's rows is another question. */
export function schemeHasGranularity(scheme: SchemeName, granularity: string): boolean {
  const { granularities } = SCHEMES[scheme];
  if (granularities === "any") return true;
  if (granularities === "rows") return /^(group:|channel$)/.test(granularity);
  const known: readonly string[] = typeof granularities === "string" ? [granularities] : granularities;
  return known.includes(granularity);
}

const SYMMETRIC = Object.entries(SCHEMES).flatMap(([name, facts]) => (facts.symmetric ? [name] : []));
