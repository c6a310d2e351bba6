import type { Graph, Value } from "../graph/graph.ts";

/**
 * The exact median of every row, the mean of the middle two where their number is even. x: (rows, n), n ≥ 2. Gives (rows, 1).
 *
 * The lower half of a row (and one more) is selected, unsorted: O(n) on the CPU. What is not a number counts as 0, for a
 * selection by comparisons that never hold has no defined end.
 */
export function rowMedian(g: Graph, x: Value): Value {
  return g.scope("median", () => {
    const numbers = g.op("Where", [g.op("IsNaN", [x]), g.float(0), x]);
    const n = g.size(x, 1);
    const lower = g.topK(numbers, g.add(g.op("Div", [n, g.ints([2])]), g.ints([1])), "smallest");
    const [upperMiddle, lowerMiddle] = g.halves(g.topK(lower, g.ints([2]), "largest"), 1);
    const odd = g.op("Cast", [g.op("Mod", [n, g.ints([2])])], { to: 1 });
    /** ½ where n is even; the upper middle alone where it is odd. */
    const share = g.multiply(g.float(0.5), g.subtract(g.float(1), odd));
    return g.add(g.multiply(upperMiddle, g.subtract(g.float(1), share)), g.multiply(lowerMiddle, share));
  });
}
