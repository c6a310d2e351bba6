/** Two checkpoints to set beside each other, as the address of the diff names them. */
export type DiffPlaces = { readonly a: string; readonly b?: string };

/**
 * The checkpoints of runs: two of them where the runs are of several, otherwise the one beside the open model.
 * @param models paths of the runs' models, the one at hand first; "" where a model is not on this computer
 * @param open path of the open model
 * @returns null where none is known
 */
export function diffPlaces(models: readonly string[], open: string | null): DiffPlaces | null {
  const [first, second] = new Set(models.filter((path) => path !== ""));
  if (first === undefined) return null;
  if (second !== undefined) return { a: first, b: second };
  return open === null || open === first ? { a: first } : { a: open, b: first };
}
