import { expect, it } from "vitest";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { labReportOf } from "../../../test/support/labReports.ts";
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

it("keeps only the latest report of each experiment, and every number in its place", () => {
  const stream = new EventStream();
  const report = labReportOf("sensitivity");
  const tell = (job: string): void => stream.emit({ type: "lab-report", job, report });
  for (const job of ["a", "a", "b", "a"]) tell(job);
  stream.emit({ type: "plans" });
  const { events, seq, complete } = stream.since(0);
  expect(events.map((kept) => kept.seq)).toEqual([3, 4, 5]);
  expect({ seq, complete }).toEqual({ seq: 5, complete: true });
});

it("drops nothing else when a report follows one that is long gone", () => {
  const stream = new EventStream();
  const report = labReportOf("sensitivity");
  stream.emit({ type: "lab-report", job: "a", report });
  for (let i = 0; i < 10_000; i++) stream.emit({ type: "plans" });
  stream.emit({ type: "lab-report", job: "a", report });
  const { events } = stream.since(2);
  expect(events).toHaveLength(10_000);
  expect(events.filter(({ event }) => event.type === "plans")).toHaveLength(9_999);
});
