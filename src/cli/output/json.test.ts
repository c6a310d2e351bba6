import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { finiteJson, printJson } from "./json.ts";

it("a number that is not finite becomes null and its own object says so", () => {
  expect(finiteJson({ rows: [{ perplexity: Infinity, nll: 2 }, { perplexity: 3 }] })).toEqual({
    rows: [{ perplexity: null, nll: 2, notFinite: true }, { perplexity: 3 }],
  });
});

it("a list with such a number marks the object that holds the list", () => {
  expect(finiteJson({ passageNll: [1, NaN] })).toEqual({ passageNll: [1, null], notFinite: true });
});

it("the document is one JSON text with a line break at its end", () => {
  const out = new PassThrough();
  printJson(out, { kl: { mean: NaN } });
  const text = String(out.read());
  expect(text.endsWith("}\n")).toBe(true);
  expect(JSON.parse(text)).toEqual({ kl: { mean: null, notFinite: true } });
});
