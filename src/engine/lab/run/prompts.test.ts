import { describe, expect, it } from "vitest";
import { passages, withoutLastWord } from "./prompts.ts";

const [FIRST, SECOND] = [
  "The river rose in the night and by morning the fields were water .",
  "Nobody in the village could remember when the bridge had last been closed .",
];
const ARTICLE = ` \n = The Flood = \n \n ${FIRST} \n \n = = = 2006 – 2008 , afterwards = = = \n \n ${SECOND} \n`;

describe("passages of a text", () => {
  it("are its documents where these are enough", () => {
    expect(passages(["One two.", "Three."], 2)).toEqual(["One two.", "Three."]);
  });

  it("are paragraphs where they are not, without headings", () => {
    expect(passages([ARTICLE], 2).map((piece) => piece.trim())).toEqual([FIRST, SECOND]);
  });

  it("hold headings too where there are not enough paragraphs", () => {
    expect(passages([ARTICLE], 4).map((piece) => piece.trim())).toEqual([
      "= The Flood =",
      FIRST,
      "= = = 2006 – 2008 , afterwards = = =",
      SECOND,
    ]);
  });
});

describe("a context without its last word", () => {
  it.each([
    ["The boat sank.", "The boat"],
    ["The boat sank . \n", "The boat"],
    ['He said : " sank " .', 'He said : "'],
    ["Seven boats came in 1948 )", "Seven boats came in"],
    ["word", ""],
    ["— — —", "— —"],
    ["", ""],
  ])("of %j is %j", (text, context) => {
    expect(withoutLastWord(text)).toBe(context);
  });

  it("takes a time that grows with the text, also where it is one piece", () => {
    const begin = performance.now();
    expect(withoutLastWord("x".repeat(2_000_000))).toBe("");
    expect(performance.now() - begin < 5000).toBe(true);
  });
});
