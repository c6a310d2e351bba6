import { blockEnd, blockStartOf, type BlockLayout } from "../plan/blockLayout.ts";
import { orderStatistic } from "#engine/numeric/orderStatistic.ts";

/**
 * Replaces the held-out weights by the signed median of their block's other weights (mean of the middle two, in f32),
 * so that they do not stretch the block's range. A block that is held out whole becomes 0.
 * @param working the tensor in block order; changed in place
 * @param positions in block order, ascending
 */
export function replaceHeldOut(working: Float32Array, layout: BlockLayout, positions: Uint32Array): void {
  for (let first = 0; first < positions.length;) {
    const from = blockStartOf(layout, positions[first]);
    const to = blockEnd(layout, from);
    let end = first;
    while (end < positions.length && positions[end] < to) end++;
    const held = positions.subarray(first, end);
    const median = medianOfOthers(working, from, to, held);
    for (const position of held) working[position] = median;
    first = end;
  }
}

function medianOfOthers(working: Float32Array, from: number, to: number, held: Uint32Array): number {
  const others = to - from - held.length;
  if (others === 0) return 0;
  // Infinity sorts behind every finite weight: the first `others` ranks are those of the other weights.
  for (const position of held) working[position] = Infinity;
  const below = orderStatistic(working, from, to, (others - 1) >> 1, false);
  const above = orderStatistic(working, from, to, others >> 1, false);
  return Math.fround((below + above) / 2);
}
