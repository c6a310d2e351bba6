import { describe, expect, it } from "vitest";
import type { NumberedEvent, StudioEvent } from "#shared/contract/events.ts";
import { EventStream } from "./eventStream.ts";

const numbered = (seq: number): NumberedEvent => ({ seq, event: { type: "run-deleted", run: String(seq) } });
const names = (events: readonly StudioEvent[]): string[] =>
  events.flatMap((e) => (e.type === "run-deleted" ? [e.run] : []));

/** A host whose `events:since` answers from a log. */
function setup(options: { kept?: number; log?: NumberedEvent[] } = {}) {
  const log = options.log ?? [];
  let listener: (event: NumberedEvent) => void = () => undefined;
  let connection: (state: "open" | "lost") => void = () => undefined;
  const tasks: (() => void)[] = [];
  const frames: string[][] = [];
  const asked: number[] = [];
  let reloads = 0;
  const host = {
    call: (_name: string, args: { seq: number }) => {
      asked.push(args.seq);
      const complete = args.seq >= (options.kept ?? 0);
      return Promise.resolve({
        events: complete ? log.filter((e) => e.seq > args.seq) : [],
        seq: log.at(-1)?.seq ?? 0,
        complete,
      });
    },
    subscribe: (l: typeof listener) => {
      listener = l;
      return () => undefined;
    },
    onConnection: (l: typeof connection) => {
      connection = l;
      return () => undefined;
    },
  };
  const stream = new EventStream(host as unknown as ConstructorParameters<typeof EventStream>[0], {
    apply: (events) => frames.push(names(events)),
    reload: () => {
      reloads++;
      return Promise.resolve();
    },
    schedule: (task) => tasks.push(task),
  });
  stream.start();
  return {
    stream,
    frames,
    asked,
    reloads: () => reloads,
    send: (...seqs: number[]) => seqs.forEach((seq) => listener(numbered(seq))),
    connection: (state: "open" | "lost") => connection(state),
    frame: () => tasks.splice(0).forEach((task) => task()),
    settle: () => new Promise((resolve) => setTimeout(resolve, 0)),
  };
}

describe("the event stream", () => {
  it("hands on all events of a frame at once, in order", () => {
    const s = setup();
    s.send(1, 2, 3);
    expect(s.frames).toEqual([]);
    s.frame();
    s.send(4);
    s.frame();
    expect(s.frames).toEqual([["1", "2", "3"], ["4"]]);
  });

  it("takes an event once", () => {
    const s = setup();
    s.send(1, 2, 2, 1, 3);
    s.frame();
    expect(s.frames).toEqual([["1", "2", "3"]]);
  });

  it("closes a hole with what the studio kept, before what came after it", async () => {
    const s = setup({ log: [1, 2, 3, 4, 5].map(numbered) });
    s.send(1, 4, 5);
    await s.settle();
    s.frame();
    expect(s.asked).toEqual([1]);
    expect(s.frames.flat()).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("reads the state afresh where the missing events are no longer kept, and goes on from there", async () => {
    const s = setup({ log: [1, 2, 3, 4].map(numbered), kept: 3 });
    s.send(1, 4);
    await s.settle();
    s.send(5);
    s.frame();
    expect(s.reloads()).toBe(1);
    expect(s.frames.flat()).toEqual(["5"]);
  });

  it("catches up when a lost connection comes back", async () => {
    const s = setup({ log: [1, 2, 3].map(numbered) });
    s.connection("open");
    s.send(1);
    s.connection("lost");
    s.connection("open");
    await s.settle();
    s.frame();
    expect(s.frames.flat()).toEqual(["1", "2", "3"]);
    expect(s.reloads()).toBe(0);
  });

  it("reads the state afresh after a reconnect where no event had been seen", async () => {
    const s = setup();
    s.connection("lost");
    s.connection("open");
    await s.settle();
    expect(s.reloads()).toBe(1);
  });

  it("notices a studio that was started anew by its smaller seq", async () => {
    const s = setup({ log: [1, 2].map(numbered) });
    s.send(7, 8);
    s.connection("lost");
    s.connection("open");
    await s.settle();
    expect(s.reloads()).toBe(1);
    s.send(3);
    s.frame();
    expect(s.frames.flat()).toEqual(["3"]);
    expect(s.stream.seq).toBe(3);
  });
});
