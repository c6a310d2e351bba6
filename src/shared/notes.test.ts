import { expect, it } from "vitest";
import { distinctNotes, EARLIER, note, withCodesBeside, withCodesInside, type Note } from "./notes.ts";

const NOTE: Note = { code: "restore/no-super-weight", text: "Nothing is restored." };

it("reads a note, and a sentence of an earlier version, which had no code", () => {
  expect(note.parse(NOTE)).toEqual(NOTE);
  expect(note.parse("Nothing is restored.")).toEqual({ code: EARLIER, text: "Nothing is restored." });
  expect(note.safeParse(3).success).toBe(false);
  expect(note.safeParse({ text: "Nothing is restored." }).success).toBe(false);
});

it("says each sentence once", () => {
  expect(distinctNotes([NOTE, { code: "other", text: "Another." }, NOTE])).toEqual([
    NOTE,
    { code: "other", text: "Another." },
  ]);
});

it("gives programs sentences, as ever, with the codes beside them, wherever in a document they are", () => {
  const document = {
    finding: NOTE,
    notes: [NOTE],
    variants: [{ notes: [], changes: [NOTE] }],
    run: { notes: "what a person wrote", finding: "a sentence" },
  };
  expect(withCodesBeside(document)).toEqual({
    finding: NOTE.text,
    findingCode: NOTE.code,
    notes: [NOTE.text],
    noteCodes: [NOTE.code],
    variants: [{ notes: [], noteCodes: [], changes: [NOTE.text], changeCodes: [NOTE.code] }],
    run: { notes: "what a person wrote", finding: "a sentence" },
  });
});

it("reads such a document back; where there are no codes the sentences stay", () => {
  const document = { notes: [NOTE], changes: [NOTE], finding: NOTE };
  const written = withCodesBeside(document) as Record<string, unknown>;
  expect(withCodesInside(written)).toMatchObject({ notes: [NOTE], changes: [NOTE] });
  expect(withCodesInside({ notes: ["A sentence."] })).toEqual({ notes: ["A sentence."] });
});
