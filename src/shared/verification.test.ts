import { describe, expect, it } from "vitest";
import { agreementOf, samePerplexity } from "./verification.ts";

describe("two perplexities", () => {
  it("are the same where only sums in another order lie between them", () => {
    expect(samePerplexity(16.06, 16.06 * (1 + 1e-6))).toBe(true);
    expect(samePerplexity(1.88098, 1.88098)).toBe(true);
  });

  it("are others where a bias of two vectors or a stale head lies between them", () => {
    expect(samePerplexity(1.88098, 1.88122)).toBe(false);
    expect(samePerplexity(339.26, 340.67)).toBe(false);
    expect(samePerplexity(22_225, 4.6e19)).toBe(false);
  });

  it("are others where one of them is no number", () => {
    expect(samePerplexity(null, 16)).toBe(false);
    expect(samePerplexity(NaN, 16)).toBe(false);
    expect(samePerplexity(null, null)).toBe(true);
  });
});

describe("what a verification amounts to", () => {
  it("is agreement only where both give a number", () => {
    expect(agreementOf({ perplexity: 51.4189, judgedPerplexity: 51.4189 })).toBe("same");
    expect(agreementOf({ perplexity: 51.4189, judgedPerplexity: 53.1061 })).toBe("other");
    expect(agreementOf({ perplexity: null, judgedPerplexity: 53.1061 })).toBe("other");
    expect(agreementOf({ perplexity: null, judgedPerplexity: null })).toBe("no number");
  });
});
