import { expect, it } from "vitest";
import { Turns } from "./turns.ts";

function waiting(): { turns: Turns<string>; told: string[][]; begun: string[] } {
  const told: string[][] = [];
  const begun: string[] = [];
  const turns = new Turns<string>((items) => told.push([...items]));
  for (const item of ["a", "b", "c", "d"]) void turns.take(item).then(() => begun.push(item));
  return { turns, told, begun };
}

it("gives one item its turn and keeps the others in order", async () => {
  const { turns, told, begun } = waiting();
  await Promise.resolve();
  expect(begun).toEqual(["a"]);
  expect(["a", "b", "c", "d", "e"].map((item) => turns.placeOf(item))).toEqual([0, 1, 2, 3, null]);
  turns.release("b");
  turns.release("a");
  await Promise.resolve();
  expect(begun).toEqual(["a", "b"]);
  expect(told.at(-1)).toEqual(["c", "d"]);
});

it("moves what waits, never before what runs nor past the end", () => {
  const { turns, told } = waiting();
  expect(turns.move("d", "up")).toBe(true);
  expect(told.at(-1)).toEqual(["b", "d", "c"]);
  turns.move("b", "up");
  expect(told.at(-1)).toEqual(["b", "d", "c"]);
  turns.move("c", "down");
  expect(told.at(-1)).toEqual(["b", "d", "c"]);
  turns.move("b", "down");
  expect(told.at(-1)).toEqual(["d", "b", "c"]);
  expect(turns.move("a", "down")).toBe(false);
  expect(turns.move("nobody", "up")).toBe(false);
});

it("lets a cancelled item go on without a turn", async () => {
  const { turns, begun } = waiting();
  turns.remove("c");
  await Promise.resolve();
  expect(begun).toEqual(["a", "c"]);
  expect(turns.running).toBe("a");
  expect(turns.placeOf("d")).toBe(2);
});
