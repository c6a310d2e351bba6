import type { PreparedItem } from "./prepareTask.ts";

/** Most bytes that the hidden states of one pass take over all variants. */
const STATE_BYTES = 2 ** 30;

/**
 * Cuts items into runs whose tokens' hidden states fit STATE_BYTES; one item at least.
 * @param floats f32 values kept per token, over all variants
 */
export function batchesByMemory(
  items: readonly PreparedItem[],
  floats: number,
  bytes = STATE_BYTES,
): PreparedItem[][] {
  const allowed = bytes / (floats * Float32Array.BYTES_PER_ELEMENT);
  const runs: PreparedItem[][] = [];
  let tokens = Infinity;
  for (const item of items) {
    const own = item.windows.reduce((n, { ids }) => n + ids.length, 0);
    if (tokens + own > allowed) {
      runs.push([]);
      tokens = 0;
    }
    runs[runs.length - 1].push(item);
    tokens += own;
  }
  return runs;
}
