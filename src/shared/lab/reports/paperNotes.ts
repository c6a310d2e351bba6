/** Whether a note tells what was seen in the paper beside what this model shows; one that names the paper for a method does not. */
export function isBesidePaper({ code }: Note): boolean {
  return code.startsWith("paper/");
}

/** Notes in the order in which they are read where room is short: what differs from the paper first. */
export function paperFirst(notes: readonly Note[]): Note[] {
  return [...notes.filter(isBesidePaper), ...notes.filter((note) => !isBesidePaper(note))];
}
import type { Note } from "../../notes.ts";
