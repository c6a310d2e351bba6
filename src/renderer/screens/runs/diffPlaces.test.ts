import { expect, it } from "vitest";
import { diffPlaces } from "./diffPlaces.ts";

it("sets the models of two runs beside each other, and one model beside the open one", () => {
  expect(diffPlaces(["/m/a", "/m/a", "/m/b"], "/m/c")).toEqual({ a: "/m/a", b: "/m/b" });
  expect(diffPlaces(["/m/a"], "/m/c")).toEqual({ a: "/m/c", b: "/m/a" });
});

it("leaves the second to be chosen where there is only one, and offers nothing where none is here", () => {
  expect(diffPlaces(["/m/a"], "/m/a")).toEqual({ a: "/m/a" });
  expect(diffPlaces(["/m/a"], null)).toEqual({ a: "/m/a" });
  expect(diffPlaces([""], "/m/a")).toBeNull();
});
