/** A set that is replaced, never changed: what runes watch is the reference. */
export function setOf<T>(items: Iterable<T>): ReadonlySet<T> {
  return new Set(items);
}

/** A map that is bookkeeping: nothing that is shown depends on it. */
export function ledger<K, V>(): Map<K, V> {
  return new Map();
}

/** Where each id stands in a list; changed in step with the list, never watched. */
export function placesOf(items: readonly { id: string }[]): Map<string, number> {
  return new Map(items.map((item, i) => [item.id, i]));
}
