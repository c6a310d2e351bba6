import { expect, it } from "vitest";
import type { TextInfo } from "#shared/estimate.ts";
import { calibrationText, judgedText } from "./texts.ts";

function text(name: string, own?: true): TextInfo {
  return { path: `/models/${name}`, name, bytes: 1, documents: 1, tokens: null, ...(own && { own }) };
}

const EVAL = text("eval.jsonl");
const CALIBRATION = text("calibration.jsonl");
const NOTES = text("notes.txt");
const OWN = text("Keystone’s own text", true);

it("judges on what lies beside the model for it, else on the text that ships with the program", () => {
  expect(judgedText([NOTES, CALIBRATION, EVAL, OWN])).toBe(EVAL);
  expect(judgedText([NOTES, CALIBRATION, OWN])).toBe(OWN);
  expect(judgedText([OWN])).toBe(OWN);
  expect(judgedText([NOTES])).toBe(NOTES);
  expect(judgedText([])).toBeNull();
});

it("calibrates on what lies beside the model before the program's own text, and never on what is judged", () => {
  expect(calibrationText([EVAL, CALIBRATION, OWN], EVAL.path)).toBe(CALIBRATION);
  expect(calibrationText([EVAL, NOTES, OWN], EVAL.path)).toBe(NOTES);
  expect(calibrationText([EVAL, OWN], EVAL.path)).toBe(OWN);
  expect(calibrationText([OWN], OWN.path)).toBeNull();
});
