import { describe, expect, it } from "vitest";
import { plotText, tokenText, wrapLabel } from "./words.ts";

describe("text in charts", () => {
  it("has no markup left, and no line break or control character", () => {
    expect(plotText('<a href="x">&\n\u0007</a>')).toBe('&lt;a href="x"&gt;&amp;↵�&lt;/a&gt;');
  });
  it("shows the spaces around a token", () => {
    expect(tokenText(" the")).toBe("·the");
    expect(tokenText("  ")).toBe("··");
    expect(tokenText("")).toBe("(empty)");
  });
  it("is broken at the space nearest its middle, and cut where it would not fit", () => {
    expect(wrapLabel("super weights pruned, super activation kept")).toEqual([
      "super weights pruned,",
      "super activation kept",
    ]);
    expect(wrapLabel("short")).toEqual(["short"]);
    for (const line of wrapLabel("x".repeat(200))) expect(line.length).toBeLessThan(40);
  });
});
