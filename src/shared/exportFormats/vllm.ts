/** Groups that vLLM's kernels for packed 4- and 8-bit weights know, besides whole rows. */
export const VLLM_GROUPS: readonly number[] = [32, 64, 128];

/** The same as blocks of a recipe, the largest and so the smallest file first. */
export const VLLM_GROUP_BLOCKS: readonly string[] = VLLM_GROUPS.map((size) => `group:${size}`).toReversed();

/** Of each packed format, the integers that vLLM 0.32 has kernels for on every device; their groups are a question apart. */
export const VLLM_TAKES: Record<
  "compressed-tensors" | "gptq" | "awq",
  (kind: { bits: number; symmetric: boolean }) => boolean
> = {
  "compressed-tensors": ({ bits, symmetric }) => bits === 4 || symmetric,
  gptq: ({ bits, symmetric }) => (bits === 4 || bits === 8) && symmetric,
  awq: () => true,
};
