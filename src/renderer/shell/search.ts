/** One thing the palette can do or go to. */
export interface Entry {
  id: string;
  group: "Commands" | "Super weights" | "Tensors" | "Variants" | "Models";
  label: string;
  hint?: string;
  keys?: readonly string[];
  icon?: string;
  /** Names are set in mono, and super weights carry the mark. */
  mono?: boolean;
  mark?: boolean;
  run(): void;
}

const PREFIX: Record<string, readonly Entry["group"][]> = {
  ">": ["Commands"],
  "#": ["Super weights", "Tensors"],
  "@": ["Variants"],
};
const MOST_PER_GROUP = 8;

/** Entries that hold every word of the query, those that begin with it first; `>`, `#` and `@` narrow the groups. */
export function search(entries: readonly Entry[], query: string): Entry[] {
  const groups = PREFIX[query.charAt(0)];
  const words = (groups ? query.slice(1) : query)
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const counts = new Map<string, number>();
  const limit = groups ? 40 : MOST_PER_GROUP;
  return (
    entries
      .filter((entry) => !groups || groups.includes(entry.group))
      // Without a query the thousands of tensors stay out of the way.
      .filter((entry) => groups || words.length > 0 || entry.group !== "Tensors")
      .flatMap((entry) => {
        const label = entry.label.toLowerCase();
        return words.every((word) => label.includes(word))
          ? [{ entry, late: label.startsWith(words[0] ?? "") ? 0 : 1 }]
          : [];
      })
      .sort((a, b) => order(a.entry) - order(b.entry) || a.late - b.late)
      .map(({ entry }) => entry)
      .filter((entry) => {
        const seen = (counts.get(entry.group) ?? 0) + 1;
        counts.set(entry.group, seen);
        return seen <= limit;
      })
  );
}

const ORDER: readonly Entry["group"][] = ["Commands", "Super weights", "Variants", "Models", "Tensors"];
function order(entry: Entry): number {
  return ORDER.indexOf(entry.group);
}

/** The label in pieces, those that match a word of the query marked. */
export function highlight(label: string, query: string): { text: string; hit: boolean }[] {
  const words = query
    .replace(/^[>#@]/, "")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const hits = new Array<boolean>(label.length).fill(false);
  for (const word of words) {
    const at = label.toLowerCase().indexOf(word);
    if (at >= 0) hits.fill(true, at, at + word.length);
  }
  const pieces: { text: string; hit: boolean }[] = [];
  for (let i = 0; i < label.length; i++) {
    const last = pieces[pieces.length - 1];
    const hit = hits[i] ?? false;
    if (last && last.hit === hit) last.text += label.charAt(i);
    else pieces.push({ text: label.charAt(i), hit });
  }
  return pieces;
}
