import type { SectionName } from "./sections.ts";

/** A block type of GGUF that can be written. */
export type GgmlBlock =
  | ("Q4_0" | "Q4_1" | "Q5_0" | "Q5_1" | "Q8_0")
  | ("Q2_K" | "Q3_K" | "Q4_K" | "Q5_K" | "Q6_K" | "IQ4_NL" | "IQ4_XS");

/** A type that a scheme rounds each weight to. */
export type RoundedType = "F16" | "BF16";

/** A form of a scheme that the wizard offers. */
export interface Offer {
  readonly section: SectionName;
  readonly bits: number;
  readonly symmetric: boolean;
  /** What the chip says when it is pointed at. */
  readonly title?: string;
}

/**
 * Everything that is known of a scheme, which says how numbers are stored, before weights are at hand: what a recipe can ask of it,
 * what it costs, where the wizard offers it and which formats hold it. Its arithmetic is in `engine/quantize/schemes`.
 */
export interface SchemeDescriptor {
  readonly title: string;
  /** In labels, where the name itself is too long. */
  readonly short?: string;
  readonly bits: readonly number[];
  /** Whether `symmetric` may be chosen. */
  readonly symmetric: boolean;
  /** `any`; `rows` = groups along a row, or the row (`group:N`, `channel`); or the groups that the format knows. */
  readonly granularities: "any" | "rows" | `group:${number}` | readonly `group:${number}`[];
  /** Bits of one block's constants beside its codes; `dtype` is what ŵ is rounded to (`F32`, `F16`, `BF16`). */
  readonly constants: (bits: number, symmetric: boolean, dtype: string) => number;
  /** Where the wizard offers it, in order; empty = it is asked for in plans alone. */
  readonly offers: readonly Offer[];
  /** The block type of GGUF that holds its codes and constants in groups of that type's size; null = none does. */
  readonly ggml: (bits: number, symmetric: boolean) => GgmlBlock | null;
  /** Whether MatMulNBits holds its weights exactly: (code − zero point)·scale, with an integer zero point. */
  readonly matMulNBits: boolean;
  /** What the format's runtimes compute in whatever the checkpoint's type: `half` = ŵ of an F32 tensor is F16, `full` = ŵ is not rounded. */
  readonly computes?: "half" | "full";
  /** Set where each weight is rounded by itself: no codes, no block, no range that could be clipped. */
  readonly rounds?: RoundedType;
  /** The scheme of rows that its group does not divide, as its format has it. */
  readonly fallback?: "q4_0" | "q5_0" | "q5_1" | "q8_0" | "iq4_nl";
  /** Set where tensors get different schemes by what they are: the scheme of most. */
  readonly mix?: "q3_k" | "q4_k" | "q5_k";
  /** Set where the last group of a row may be shorter than the others. */
  readonly shortBlocks?: true;
}

/** Every number of bits that codes of one byte a weight can have, and that is fewer than the weights' own. */
export const ANY_BITS = [2, 3, 4, 5, 6, 7, 8] as const;

/** Of a scheme that GGUF does not hold. */
export const notInGguf = (): null => null;

/** The forms of a scheme with these bits, symmetric ones first. */
export function bothForms(section: SectionName, bits: readonly number[]): Offer[] {
  return [true, false].flatMap((symmetric) => bits.map((each) => ({ section, bits: each, symmetric })));
}
