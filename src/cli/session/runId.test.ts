import { expect, it } from "vitest";
import { wholeId } from "./runId.ts";

const IDS = ["0c1d52b4-1111-4000-8000-000000000001", "0c1d9f00-2222-4000-8000-000000000002", "ffee0011-3333"];

it("an id is known by its beginning, in any case of letters", () => {
  expect(wholeId("0c1d5", IDS)).toBe(IDS[0]);
  expect(wholeId("FFEE", IDS)).toBe(IDS[2]);
  expect(wholeId(IDS[1] ?? "", IDS)).toBe(IDS[1]);
});

it("a beginning of several ids is refused with them", () => {
  expect(() => wholeId("0c1d", IDS)).toThrow(/^2 ids begin with 0c1d: 0c1d52b4.*0c1d9f00/);
});

it("what begins no id, and what is too short to mean one, stays as it is", () => {
  expect([wholeId("1234", IDS), wholeId("ff", IDS), wholeId("", IDS)]).toEqual(["1234", "ff", ""]);
});
