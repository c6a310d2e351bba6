import { textWidth } from "./words.ts";

/** A mark that wants a label: its place in pixels from the plot's upper left corner. */
export interface Mark {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** Where a label stands beside its mark: the side, and how far it is lifted, in pixels. */
export interface Placed {
  readonly anchor: "left" | "right";
  readonly lift: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Half a line of text, and half a mark. */
const HALF_LINE = 8;
const HALF_MARK = 6;
/** From a mark's middle to its label. */
export const LABEL_SHIFT = 11;
const LIFTS = [0, 14, -14, 28, -28];

/**
 * Labels in the order of importance, each where it stays inside the plot and touches neither another label nor a mark; null
 * where there is no such place, and the values then stand in the table alone. Placed for a plot of `width` × `height` pixels
 * it also holds in a wider one, since marks move apart and text keeps its width.
 */
export function placeLabels(
  labelled: readonly Mark[],
  marks: readonly Pick<Mark, "x" | "y">[],
  width: number,
  height: number,
): (Placed | null)[] {
  const taken: Box[] = marks.map(({ x, y }) => boxAround(x, y, HALF_MARK));
  return labelled.map((mark) => {
    for (const lift of LIFTS) {
      for (const anchor of ["left", "right"] as const) {
        const box = labelBox(mark, anchor, lift);
        const inside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
        if (!inside || taken.some((other) => overlap(box, other))) continue;
        taken.push(box);
        return { anchor, lift };
      }
    }
    return null;
  });
}

function boxAround(x: number, y: number, half: number): Box {
  return { left: x - half, right: x + half, top: y - half, bottom: y + half };
}

function labelBox({ x, y, text }: Mark, anchor: Placed["anchor"], lift: number): Box {
  const width = textWidth([text.replaceAll(/<[^>]*>/g, "")]);
  const middle = y - lift;
  const left = anchor === "left" ? x + LABEL_SHIFT : x - LABEL_SHIFT - width;
  return { left, right: left + width, top: middle - HALF_LINE, bottom: middle + HALF_LINE };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
