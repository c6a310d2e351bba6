import { describe, expect, it, vi } from "vitest";
import type { DesktopBridge } from "#shared/command.ts";
import type { Host } from "#shared/contract/contract.ts";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { ElectronHost } from "./electronHost.ts";
import { HttpHost, type Socket } from "./httpHost.ts";

/** The studio's side of a transport, as a test needs it. */
interface FakeStudio {
  host: Host;
  /** Calls that arrived, in order. */
  calls: { name: string; args: unknown }[];
  /** Answers the n-th call. */
  reply(n: number, reply: unknown): void;
  fail(n: number, error: unknown): void;
  emit(event: NumberedEvent): void;
}

function overElectron(): FakeStudio {
  const calls: FakeStudio["calls"] = [];
  const answers: ((answer: Awaited<ReturnType<DesktopBridge["call"]>>) => void)[] = [];
  const listeners = new Set<(event: NumberedEvent) => void>();
  const host = new ElectronHost({
    call: (name, args) => {
      calls.push({ name, args });
      return new Promise((resolve) => answers.push(resolve));
    },
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onCommand: () => () => undefined,
    pathOf: (file) => `/dropped/${file.name}`,
    platform: "linux",
  });
  return {
    host,
    calls,
    reply: (n, reply) => answers[n]?.({ ok: true, reply }),
    fail: (n, error) => answers[n]?.({ ok: false, error }),
    emit: (event) => listeners.forEach((listener) => listener(event)),
  };
}

/** A socket whose other end is the test. */
class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  readonly sent: { id: number; call: string; args: unknown }[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { id: number; call: string; args: unknown });
  }
  close(): void {
    this.onclose?.();
  }
  receive(message: unknown): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
}

function overHttp(): FakeStudio & { socket: FakeSocket } {
  const socket = new FakeSocket();
  const host = new HttpHost(() => socket);
  socket.onopen?.();
  return {
    host,
    socket,
    get calls() {
      return socket.sent.map(({ call, args }) => ({ name: call, args }));
    },
    reply: (n, reply) => socket.receive({ id: socket.sent[n]?.id, reply }),
    fail: (n, error) => socket.receive({ id: socket.sent[n]?.id, error }),
    emit: (event) => socket.receive(event),
  };
}

const event = (seq: number): NumberedEvent => ({ seq, event: { type: "plans" } });

describe.each([
  ["ElectronHost", overElectron],
  ["HttpHost", overHttp],
])("%s", (_name, connect) => {
  it("passes the call's name and arguments on unchanged", () => {
    const studio = connect();
    void studio.host.call("tensor:statistics", { path: "/model", name: "lm_head.weight" });
    expect(studio.calls).toEqual([
      { name: "tensor:statistics", args: { path: "/model", name: "lm_head.weight" } },
    ]);
  });

  it("gives each call its own reply, whatever the order of the answers", async () => {
    const studio = connect();
    const first = studio.host.call("job:sweep", { model: "/a", plan: {}, text: "/t" });
    const second = studio.host.call("job:compare", { model: "/a", recipes: [], text: "/t", judge: {} });
    studio.reply(1, { job: "second" });
    studio.reply(0, { job: "first", run: "r" });
    expect(await first).toEqual({ job: "first", run: "r" });
    expect(await second).toEqual({ job: "second" });
  });

  it("throws the studio's error with its code, next step and details", async () => {
    const studio = connect();
    const call = studio.host.call("model:open", { path: "/nowhere" });
    studio.fail(0, {
      code: "checkpoint/missing",
      message: "There is no folder.",
      next: "Choose another.",
      details: { path: "/nowhere" },
    });
    await expect(call).rejects.toMatchObject({
      name: "KeystoneError",
      code: "checkpoint/missing",
      message: "There is no folder.",
      next: "Choose another.",
      details: { path: "/nowhere" },
    });
  });

  it("turns an error without a shape into one with a code", async () => {
    const studio = connect();
    const call = studio.host.call("app:info", {});
    studio.fail(0, "no");
    await expect(call).rejects.toMatchObject({ code: "internal/unexpected", message: "no" });
  });

  it("hands on events in order until the listener leaves", () => {
    const studio = connect();
    const seen: number[] = [];
    const stop = studio.host.subscribe(({ seq }) => seen.push(seq));
    studio.emit(event(1));
    studio.emit(event(2));
    stop();
    studio.emit(event(3));
    expect(seen).toEqual([1, 2]);
  });

  it("says at once that the connection is open", () => {
    const states: string[] = [];
    connect().host.onConnection((state) => states.push(state));
    expect(states).toEqual(["open"]);
  });
});

describe("HttpHost's connection", () => {
  it("keeps calls until the socket opens", () => {
    const socket = new FakeSocket();
    const host = new HttpHost(() => socket);
    void host.call("app:info", {});
    expect(socket.sent).toEqual([]);
    socket.onopen?.();
    expect(socket.sent.map(({ call }) => call)).toEqual(["app:info"]);
  });

  it("fails calls that were on their way, connects again with growing pauses and sends what waited", async () => {
    vi.useFakeTimers();
    try {
      const sockets: FakeSocket[] = [];
      const host = new HttpHost(() => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      });
      const states: string[] = [];
      host.onConnection((state) => states.push(state));
      sockets[0]?.onopen?.();
      const lost = host.call("job:list", {});
      const failed = expect(lost).rejects.toMatchObject({ code: "connection/lost" });
      sockets[0]?.onclose?.();
      await failed;
      void host.call("run:list", {});

      vi.advanceTimersByTime(250);
      expect(sockets.length).toBe(2);
      sockets[1]?.onclose?.();
      vi.advanceTimersByTime(250);
      expect(sockets.length).toBe(2);
      vi.advanceTimersByTime(250);
      expect(sockets.length).toBe(3);
      sockets[2]?.onopen?.();
      expect(sockets[2]?.sent.map(({ call }) => call)).toEqual(["run:list"]);
      expect(states).toEqual(["open", "lost", "open"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("drops messages that are not JSON objects, and replies that nobody asked for", () => {
    const { host, socket } = overHttp();
    const seen: unknown[] = [];
    host.subscribe((one) => seen.push(one));
    for (const message of ["{", "null", "7", "[]", '{"id":99,"reply":{}}', '{"id":"x","reply":{}}'])
      socket.receive(message);
    expect(seen).toEqual([]);
  });
});
