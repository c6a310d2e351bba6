import { expect, it } from "vitest";
import { leadWithBos } from "./leadWithBos.ts";

const BOS = 1;

it("BOS leads a text that has none", () => {
  expect(leadWithBos({ bos: BOS }, [5, 6])).toEqual({
    ids: [BOS, 5, 6],
    text: [5, 6],
    added: true,
    own: false,
  });
});

it("a text that begins with BOS gets no second one", () => {
  expect(leadWithBos({ bos: BOS }, [BOS, 5])).toEqual({ ids: [BOS, 5], text: [5], added: false, own: true });
});

it("a second BOS that the text itself holds is text", () => {
  expect(leadWithBos({ bos: BOS }, [BOS, BOS, 5])).toMatchObject({ ids: [BOS, BOS, 5], text: [BOS, 5] });
});

it("a tokenizer that puts no BOS leaves a text as it is", () => {
  expect(leadWithBos({ bos: null }, [BOS, 5])).toEqual({
    ids: [BOS, 5],
    text: [BOS, 5],
    added: false,
    own: false,
  });
});
