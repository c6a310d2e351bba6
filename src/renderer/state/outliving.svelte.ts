/** Makes state whose derived values do not end with the component that asks for it first. */
export function outliving<T>(make: () => T): T {
  const made: T[] = [];
  $effect.root(() => void made.push(make()));
  const [one] = made;
  if (one === undefined) throw new Error("Nothing was made.");
  return one;
}
