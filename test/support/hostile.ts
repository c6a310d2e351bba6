/** What a name in a file may hold at worst: markup that loads, links and scripts, and the end of a script element. */
export const HOSTILE =
  '</script><script>window.pwned=1</script><img src="http://evil.example/x" onerror="window.pwned=1"><a href="http://evil.example">x</a> \'&" |x| `y` [z](http://evil.example)';

/** A copy in which every string that `isFree` lets through is hostile. Enumerations must be left alone by it. */
export function hostileCopy<T>(value: T, isFree: (path: readonly string[], text: string) => boolean): T {
  const walk = (inner: unknown, path: readonly string[]): unknown => {
    if (typeof inner === "string") return isFree(path, inner) ? `${inner} ${HOSTILE}` : inner;
    if (Array.isArray(inner)) return inner.map((one: unknown) => walk(one, path));
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, walk(one, [...path, key])]));
  };
  return walk(value, []) as T;
}

/** Fields whose text comes from a person, a file or a model. */
const FREE = new Set(["modelName", "text", "change", "label", "message", "next", "device"]);

/** Free text of reports and runs, by the name of its field. */
export function isFreeText(path: readonly string[]): boolean {
  const key = path.at(-1) ?? "";
  return FREE.has(key) || (key === "name" && (path.includes("tasks") || path.includes("summary")));
}
