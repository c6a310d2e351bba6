import { z } from "zod";

/** Code of a sentence that an earlier version kept, when notes were sentences alone. */
export const EARLIER = "earlier";

const coded = z.object({
  /** As errors have: an area and a name, `restore/no-super-weight`. */
  code: z.string(),
  /** One sentence. */
  text: z.string(),
});

/** What a person should know beside a result, and what it is about: decisions are taken by the code, never by the sentence. */
export type Note = z.infer<typeof coded>;

/** A note as it is sent and kept; what an earlier version kept as a sentence alone gets the code {@link EARLIER}. */
export const note = z.preprocess(
  (found) => (typeof found === "string" ? { code: EARLIER, text: found } : found),
  coded,
);

/** The sentences, for those who only read them. */
export function textsOf(notes: readonly Note[]): string[] {
  return notes.map(({ text }) => text);
}

/** Each sentence once, where it stands first. */
export function distinctNotes(notes: readonly Note[]): Note[] {
  const said = new Set<string>();
  return notes.filter(({ text }) => !said.has(text) && said.add(text));
}

/** Fields of notes, and where a program finds their codes. */
const CODES: Readonly<Record<string, string>> = {
  notes: "noteCodes",
  changes: "changeCodes",
  finding: "findingCode",
};

/**
 * A copy of a document for programs, in which notes are sentences, as they always were, with their codes in a field beside them:
 * `notes[i]` is of `noteCodes[i]`, and `finding` of `findingCode`.
 */
export function withCodesBeside(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withCodesBeside);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, unknown][] => {
      const beside = Object.hasOwn(CODES, key) ? CODES[key] : undefined;
      if (beside === undefined || !holdsNotes(inner)) return [[key, withCodesBeside(inner)]];
      return Array.isArray(inner)
        ? [
            [key, textsOf(inner)],
            [beside, inner.map(({ code }) => code)],
          ]
        : [
            [key, inner.text],
            [beside, inner.code],
          ];
    }),
  );
}

/** A document's own notes as {@link withCodesBeside} wrote them, whole again; those without codes stay sentences. */
export function withCodesInside(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const whole: Record<string, unknown> = { ...document };
  for (const [key, beside] of Object.entries(CODES)) {
    const said: unknown = document[key];
    const codes: unknown = document[beside];
    if (!Array.isArray(said) || !Array.isArray(codes)) continue;
    whole[key] = said.map((text: unknown, i) => ({ text, code: (codes[i] as unknown) ?? EARLIER }));
  }
  return whole;
}

function holdsNotes(value: unknown): value is Note | Note[] {
  if (Array.isArray(value)) return value.every(isNote);
  return isNote(value);
}

function isNote(value: unknown): value is Note {
  return coded.safeParse(value).success;
}
