import { expect, it } from "vitest";
import type { WrittenText } from "./comparison.ts";
import { endOfText } from "./writtenText.ts";

const text = (words: string[], end: WrittenText["end"]): WrittenText => ({
  label: "original",
  id: null,
  output: { tokens: words.map((word, id) => ({ id, text: word })), text: words.join("") },
  end,
  endToken: end === "end-token" ? { id: 2, text: "</s>" } : null,
  tokensPerSecond: null,
});

it("an empty text says that the model ended at once, and with which token", () => {
  expect(endOfText(text([], "end-token"))).toBe("ended at once, with </s>");
  expect(endOfText(text(["Paris"], "end-token"))).toBe("ended with </s>");
});

it("a text that is cut short says why, one that goes on says nothing", () => {
  expect(endOfText(text(["a"], "length"))).toBe("stopped at the limit");
  expect(endOfText(text(["a"], "cancelled"))).toBe("cancelled, not finished");
  expect(endOfText(text([], "not-finite"))).toBe("stopped: its logits are not finite");
  expect(endOfText(text(["a"], null))).toBeNull();
});
