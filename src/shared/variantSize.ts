import type { ModelSummary } from "./model.ts";

/** Bytes of a model's weights as its files hold them, without headers and tokenizer: what a variant's size is held against. */
export function modelWeightBytes({ tensors }: Pick<ModelSummary, "tensors">): number {
  return tensors.reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Bytes of a variant's weights: its average over all of them, as the format that its scheme is of writes them. Null where it is
 * not known. Runs, comparisons and exports give this number as a variant's size.
 */
export function variantWeightBytes(
  { fileBitsPerWeight }: { readonly fileBitsPerWeight: number | null },
  parameters: number | null,
): number | null {
  return fileBitsPerWeight === null || parameters === null
    ? null
    : Math.round((fileBitsPerWeight * parameters) / 8);
}
