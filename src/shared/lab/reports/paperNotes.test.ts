import { expect, it } from "vitest";
import { isBesidePaper, paperFirst } from "./paperNotes.ts";
import type { Note } from "../../notes.ts";

const RECOVERED: Note = {
  code: "paper/recovered",
  text: "In the paper's Llama-7B it recovers about 42%; here it recovers everything.",
};
const METHOD: Note = {
  code: "activations/simulated",
  text: "Activations are simulated: the inputs of linears only (in the paper attention's products too).",
};
const LARGEST: Note = { code: "paper/largest-value", text: "The largest value is 54 instead of 250." };
const FEW: Note = {
  code: "tasks/too-few",
  text: "Over 10 task items pruning changes mean accuracy by −10%.",
};

it("a note stands beside the paper by its code, whatever its sentence names", () => {
  expect([RECOVERED, METHOD, LARGEST, FEW].filter(isBesidePaper)).toEqual([RECOVERED, LARGEST]);
});

it("what differs from the paper is read first, the others keep their order", () => {
  expect(paperFirst([FEW, METHOD, RECOVERED])).toEqual([RECOVERED, FEW, METHOD]);
});
