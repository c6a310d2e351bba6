import { z } from "zod";

/** What a person should know beside a result, and what it is about: decisions are taken by the code, never by the sentence. */
export const note = z.object({
  /** As errors have: an area and a name, `restore/no-super-weight`. */
  code: z.string(),
  /** One sentence. */
  text: z.string(),
});
export type Note = z.infer<typeof note>;

/** The sentences, for those who only read them. */
export function textsOf(notes: readonly Note[]): string[] {
  return notes.map(({ text }) => text);
}
