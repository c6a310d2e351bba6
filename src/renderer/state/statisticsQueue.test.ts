import { describe, expect, it } from "vitest";
import { StatisticsQueue } from "./statisticsQueue.ts";

function setup(atOnce = 1) {
  const asked: string[] = [];
  const open = new Map<string, (value: string) => void>();
  const done: string[] = [];
  const queue = new StatisticsQueue<string>(
    (key) => {
      asked.push(key);
      return new Promise((resolve, reject) =>
        open.set(key, (value) => (value === "fail" ? reject(new Error(key)) : resolve(value))),
      );
    },
    (key, value) => done.push(`${key}=${value ?? "error"}`),
    atOnce,
  );
  const answer = async (key: string, value = key.toUpperCase()): Promise<void> => {
    open.get(key)?.(value);
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  return { queue, asked, done, answer };
}

describe("the statistics queue", () => {
  it("asks for few at a time and for the newest wish next", async () => {
    const { queue, asked, answer } = setup();
    for (const key of ["a", "b", "c"]) queue.wish(key);
    expect(asked).toEqual(["a"]);
    await answer("a");
    await answer("c");
    expect(asked).toEqual(["a", "c", "b"]);
  });
  it("asks for each key once", async () => {
    const { queue, asked, answer } = setup();
    queue.wish("a");
    queue.wish("a");
    await answer("a");
    queue.wish("a");
    expect(asked).toEqual(["a"]);
  });
  it("lets go of what was scrolled past, and takes it again when it comes back", async () => {
    const { queue, asked, answer } = setup();
    for (const key of ["a", "b", "c"]) queue.wish(key);
    queue.keepOnly(new Set(["c"]));
    await answer("a");
    await answer("c");
    expect(asked).toEqual(["a", "c"]);
    queue.wish("b");
    expect(asked).toEqual(["a", "c", "b"]);
  });
  it("goes on after a failure", async () => {
    const { queue, done, answer } = setup();
    queue.wish("a");
    queue.wish("b");
    await answer("a", "fail");
    await answer("b");
    expect(done).toEqual(["a=error", "b=B"]);
    expect(queue.open).toBe(0);
  });
});
