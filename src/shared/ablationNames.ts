/*
 * How rows of ablations were told apart before they said their kind: by their names, which are kept in results of then. Nothing
 * that is written today is read by its name.
 */
const KINDS: Readonly<Record<string, string>> = {
  original: "original",
  "super weights pruned": "super-weights",
  "super weights pruned, super activation kept": "super-activation-kept",
  "largest other weights pruned": "largest-others",
  "random other weights pruned": "random-others",
};

/** A row with its kind, also where an earlier version kept it without. */
export function withAblationKind(row: unknown): unknown {
  if (typeof row !== "object" || row === null || "kind" in row || !("name" in row)) return row;
  return { ...row, kind: kindOf(String(row.name)) };
}

function kindOf(name: string): string {
  if (Object.hasOwn(KINDS, name)) return KINDS[name] ?? name;
  return name.startsWith("super weights ×") ? "scaled" : "one-super-weight";
}
