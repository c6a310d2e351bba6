/**
 * The order in which a plan's variants run: coarse to fine, so that the picture's shape shows early.
 *
 * Along one axis the two ends come first, then the middle, then the quarters (a van der Corput order with both ends);
 * each value has the level at which it appears. A grid's points run by the highest level among their axes, so that the
 * coarse grid is complete before a finer one starts. A list is one axis.
 *
 * @param axes lengths of the grid's axes, the last one varying fastest
 * @returns the points' positions in the plan, in the order to run them
 */
export function coarseToFine(axes: readonly number[]): number[] {
  const levels = axes.map(axisLevels);
  const count = axes.reduce((product, length) => product * length, 1);
  const points = Array.from({ length: count }, (_, position) => {
    let rest = position;
    let highest = 0;
    let sum = 0;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const length = axes[axis] ?? 1;
      const level = levels[axis]?.[rest % length] ?? 0;
      rest = Math.floor(rest / length);
      highest = Math.max(highest, level);
      sum += level;
    }
    return { position, highest, sum };
  });
  points.sort((a, b) => a.highest - b.highest || a.sum - b.sum || a.position - b.position);
  return points.map((point) => point.position);
}

/** Level of each value of an axis: 0 for both ends, then one more for every halving of the gaps. */
function axisLevels(length: number): number[] {
  const levels = new Array<number>(length).fill(0);
  const halve = (from: number, to: number, level: number): void => {
    if (to - from < 2) return;
    const middle = Math.floor((from + to) / 2);
    levels[middle] = level;
    halve(from, middle, level + 1);
    halve(middle, to, level + 1);
  };
  halve(0, length - 1, 1);
  return levels;
}

/** The axes of a plan as written; a list, or a grid whose points are not all different, is one axis of `count` values. */
export function planAxes(plan: unknown, count: number): number[] {
  if (typeof plan !== "object" || plan === null || !("grid" in plan)) return [count];
  const { grid } = plan;
  if (typeof grid !== "object" || grid === null) return [count];
  const axes = Object.values(grid).map((values: unknown) => (Array.isArray(values) ? values.length : 1));
  return axes.reduce((product, length) => product * length, 1) === count ? axes : [count];
}
