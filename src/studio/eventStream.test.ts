import { expect, it } from "vitest";
import type { NumberedEvent } from "#shared/events.ts";
import { EventStream } from "./eventStream.ts";

it("numbers events without a gap and gives them again", () => {
  const stream = new EventStream();
  const heard: NumberedEvent[] = [];
  stream.on((event) => heard.push(event));
  for (let i = 0; i < 5; i++) stream.emit({ type: "plans" });
  expect(heard.map((e) => e.seq)).toEqual([1, 2, 3, 4, 5]);
  expect(stream.since(2)).toEqual({ events: heard.slice(2), seq: 5, complete: true });
  expect(stream.since(5)).toEqual({ events: [], seq: 5, complete: true });
});

it("says so when the events asked for are no longer kept", () => {
  const stream = new EventStream();
  for (let i = 0; i < 10_003; i++) stream.emit({ type: "plans" });
  expect(stream.since(2).complete).toBe(false);
  const kept = stream.since(3);
  expect(kept.complete).toBe(true);
  expect(kept.events).toHaveLength(10_000);
  expect(kept.events[0]?.seq).toBe(4);
});

it("refuses a number that is ahead of the stream: it belongs to an earlier studio", () => {
  expect(new EventStream().since(7).complete).toBe(false);
});

it("tells a listener nothing after it has stopped listening", () => {
  const stream = new EventStream();
  let heard = 0;
  const stop = stream.on(() => heard++);
  stream.emit({ type: "plans" });
  stop();
  stream.emit({ type: "plans" });
  expect(heard).toBe(1);
});
