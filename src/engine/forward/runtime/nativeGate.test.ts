import { afterEach, expect, it } from "vitest";
import { createGate, leaveGate, shutGate, throughGate, useGate } from "./nativeGate.ts";

afterEach(() => useGate(null));

function settled(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20));
  return Promise.race([promise.then(() => true), later]);
}

it("shuts only when the call under way has ended", async () => {
  const gate = createGate();
  useGate(gate);
  const { promise, resolve } = Promise.withResolvers<number>();
  const call = throughGate(() => promise);
  const shut = shutGate(gate);
  expect(await settled(shut)).toBe(false);
  resolve(7);
  expect(await call).toBe(7);
  expect(await settled(shut)).toBe(true);
});

it("counts calls inside one another as one", async () => {
  const gate = createGate();
  useGate(gate);
  const { promise, resolve } = Promise.withResolvers<null>();
  const outer = throughGate(() => Promise.all([throughGate(async () => 1), promise]));
  const shut = shutGate(gate);
  expect(await settled(shut)).toBe(false);
  resolve(null);
  await outer;
  expect(await settled(shut)).toBe(true);
});

it("opens again after a call that failed", async () => {
  const gate = createGate();
  useGate(gate);
  await expect(throughGate(() => Promise.reject(new Error("out of memory")))).rejects.toThrow(
    "out of memory",
  );
  expect(await settled(shutGate(gate))).toBe(true);
});

it("is left for a thread that died inside", async () => {
  const gate = createGate();
  useGate(gate);
  void throughGate(() => new Promise(() => undefined));
  const shut = shutGate(gate);
  expect(await settled(shut)).toBe(false);
  leaveGate(gate);
  expect(await settled(shut)).toBe(true);
});

it("lets calls through where there is no gate", async () => {
  expect(await throughGate(async () => 1)).toBe(1);
});
