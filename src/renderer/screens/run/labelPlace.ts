/** What a label beside a horizontal line takes, in pixels from the end of the line and from the line. */
const LABEL = { width: 110, height: 22 };
/** How far a mark reaches from its centre, and the letter of a ring above it. */
const MARK = 5;
const LETTER = 14;

/** In pixels of a chart, from its left and its top. */
interface Place {
  readonly left: number;
  readonly top: number;
}

/** Where a label of a horizontal line stands. */
export interface LabelPlace {
  readonly end: "left" | "right";
  readonly side: "above" | "below";
}

/** In the order of preference. */
const PLACES: readonly LabelPlace[] = [
  { end: "right", side: "above" },
  { end: "left", side: "above" },
  { end: "right", side: "below" },
  { end: "left", side: "below" },
];

/**
 * Where a label at one end of a horizontal line covers the fewest marks; a letter counts as all marks together.
 * @param plot the ends of the line and the chart's lower edge
 * @param line the line's place from the top
 * @param marks centres of marks
 * @param rings centres of marks with a letter in their upper right corner
 */
export function labelPlace(
  plot: { readonly left: number; readonly right: number; readonly bottom: number },
  line: number,
  marks: readonly Place[],
  rings: readonly Place[],
): LabelPlace {
  const lies =
    ({ end, side }: LabelPlace, reach: number) =>
    ({ left, top }: Place): boolean => {
      const beside = end === "right" ? left > plot.right - LABEL.width : left < plot.left + LABEL.width;
      const [from, to] = side === "above" ? [line - LABEL.height, line] : [line, line + LABEL.height];
      return beside && top > from - MARK && top < to + MARK + reach;
    };
  const covers = (place: LabelPlace): number =>
    marks.filter(lies(place, 0)).length +
    rings.filter(lies(place, LETTER)).length * (marks.length + 1) +
    (place.side === "below" && line + LABEL.height > plot.bottom ? Infinity : 0);
  return PLACES.reduce((best, place) => (covers(place) < covers(best) ? place : best));
}
