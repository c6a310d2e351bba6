import { describe, expect, it } from "vitest";
import { judgedTexts } from "./judgedTexts.ts";
import { wikitextArticles } from "./wikitext.ts";

const FIRST = " = Crow = \n \n The crow is a bird . \n \n = = Voice = = \n \n It caws . \n ";
const SECOND = " = Owl = \n \n It hoots . \n";
const FILE = ` \n${FIRST}\n${SECOND}`;

/** The lines of a text as the published data sets have them: a row each, blank ones empty. */
const rowsOf = (file: string): string[] =>
  file.split(/(?<=\n)/).map((line) => (line.trim() === "" ? "" : line));

describe("WikiText's articles", () => {
  it("begin at titles and not at the headings of sections", () => {
    expect(wikitextArticles([FILE])).toEqual([FIRST, SECOND]);
  });

  it("are the same from the data set's rows, a line each", () => {
    expect(wikitextArticles(rowsOf(FILE))).toEqual([FIRST, SECOND]);
  });

  it("are as they are where each row is one", () => {
    expect(wikitextArticles([FIRST, SECOND])).toEqual([FIRST, SECOND]);
  });

  it("are detokenized, but counted as published", () => {
    const { texts, join } = judgedTexts([FILE], { windows: "rolling", join: "articles" });
    expect(join).toBe("articles");
    expect(texts[1]).toEqual({ text: " = Owl =\n\nIt hoots.\n", words: 8, bytes: 25 });
  });
});
