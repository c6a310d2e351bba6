import type { VariantResult } from "#shared/run.ts";

/** A picked variant as the comparison shows it. */
export interface Compared {
  /** 0 to 3: decides colour, shape and dash. */
  place: number;
  letter: string;
  result: VariantResult;
}
