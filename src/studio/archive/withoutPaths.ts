/** The last part of a path, of this system or another. */
export function lastName(path: string): string {
  return (
    path
      .split(/[\\/]+/)
      .filter((part) => part !== "")
      .pop() ?? path
  );
}

/** `/a/b/c`, `C:\a\b`, `\\server\share\b`, `~/b`: two parts at least, so that `tokens/s` and `1/4` stay. */
const PATH = /(?<![\w.])(?:[A-Za-z]:[\\/]|\\\\|~[\\/]|\/)(?:[^\s"'`<>|:;,()\\/]+[\\/])+[^\s"'`<>|:;,()\\/]*/g;

/**
 * A sentence in which every path is its last name alone: known ones first, which may hold blanks, then what looks like one.
 */
export function withoutPaths(sentence: string, known: readonly string[]): string {
  const longestFirst = known.filter((path) => path !== "").sort((a, b) => b.length - a.length);
  const named = longestFirst.reduce((text, path) => text.replaceAll(path, lastName(path)), sentence);
  return named.replaceAll(PATH, (path) => lastName(path));
}
