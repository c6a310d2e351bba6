/** Groups that vLLM's kernels for packed 4- and 8-bit weights know, besides whole rows. */
export const VLLM_GROUPS: readonly number[] = [32, 64, 128];

/** The same as blocks of a recipe, the largest and so the smallest file first. */
export const VLLM_GROUP_BLOCKS: readonly string[] = VLLM_GROUPS.map((size) => `group:${size}`).toReversed();
