/** Whether a note tells what was seen in the paper beside what this model shows; to name the paper alone is not enough. */
export function isBesidePaper(note: string): boolean {
  return /\bin the paper(’s|'s)?\b/i.test(note);
}

/** Notes in the order in which they are read where room is short: what differs from the paper first. */
export function paperFirst(notes: readonly string[]): string[] {
  return [...notes.filter(isBesidePaper), ...notes.filter((note) => !isBesidePaper(note))];
}
