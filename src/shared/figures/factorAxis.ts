/** Where the axis of factors ends unless one lies beyond: Figure 6 of the paper. */
const USUAL: readonly [number, number] = [0, 3];
/** Room beyond the outermost factors, as a share of the range. */
const ROOM = 0.03;

/** The least and largest factor of the slider: it holds what is scored and what is asked, so that it does not move as points come. */
export function factorEnds(factors: readonly number[]): [number, number] {
  return [Math.min(USUAL[0], ...factors), Math.max(USUAL[1], ...factors)];
}

/** The x axis of the chart above a slider with these ends. */
export function axisRange([low, high]: readonly [number, number]): [number, number] {
  const room = (high - low) * ROOM;
  return [low - room, high + room];
}
