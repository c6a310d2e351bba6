/** What a label beside a horizontal line takes, in pixels, with the letter of a ring that lies in its corner. */
const LABEL = { width: 130, above: 32, below: 16 };

/**
 * The end of a horizontal line at which a label above it covers no ring.
 * @param rings centres of marks with letters, in pixels of the chart
 * @param line the line's place from the top
 * @param width of the chart
 * @returns "right" unless only the left end is free
 */
export function freeSide(
  rings: readonly { readonly left: number; readonly top: number }[],
  line: number,
  width: number,
): "left" | "right" {
  const close = rings.filter(({ top }) => top > line - LABEL.above && top < line + LABEL.below);
  const right = close.some(({ left }) => left > width - LABEL.width);
  const left = close.some((ring) => ring.left < LABEL.width);
  return right && !left ? "left" : "right";
}
