import { expect, it } from "vitest";
import { parsePlan } from "#shared/plan.ts";
import { fromPlan } from "../screens/sweep/draft.ts";
import { smallPlan } from "./smallPlan.ts";

function linear(columns: number): { linear: boolean; shape: number[] } {
  return { linear: true, shape: [8, columns] };
}

it("is a plan of a few variants that the wizard's form can say", () => {
  const plan = smallPlan([linear(256), linear(704), { linear: false, shape: [7, 9] }], true);
  const { recipes } = parsePlan(plan);
  expect(recipes).toHaveLength(8);
  expect(new Set(recipes.map(({ granularity }) => granularity))).toEqual(new Set(["group:32", "group:64"]));
  expect(fromPlan(plan)).not.toBeNull();
});

it("names only groups that divide every row, and puts back only what there is", () => {
  expect(parsePlan(smallPlan([linear(96)], false)).recipes.map(({ granularity }) => granularity)).toEqual([
    "group:32",
    "group:32",
  ]);
  expect(parsePlan(smallPlan([linear(50)], false)).recipes.map(({ granularity }) => granularity)).toEqual([
    "channel",
    "channel",
  ]);
});
