import { expect, it } from "vitest";
import { isBesidePaper, paperFirst } from "./labNotes.ts";

const RECOVERED = "In the paper's Llama-7B it recovers about 42%; here it recovers everything.";
const METHOD =
  "Activations are simulated: the inputs of linears only (the paper quantizes attention's products too); per tensor means per window.";
const LARGEST = "The largest value is 54 instead of 250; in the paper's Llama-7B about 324 instead of 1,360.";
const FEW = "Over 10 task items pruning changes mean accuracy by −10%.";

it("a note stands beside the paper where it tells what was seen in it, not where it names it for a method", () => {
  expect([RECOVERED, METHOD, LARGEST, FEW].filter(isBesidePaper)).toEqual([RECOVERED, LARGEST]);
});

it("what differs from the paper is read first, the others keep their order", () => {
  expect(paperFirst([FEW, METHOD, RECOVERED])).toEqual([RECOVERED, FEW, METHOD]);
});
