import type { IpcMain, IpcMainInvokeEvent } from "electron";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Studio } from "#studio/context/studio.ts";
import { acceptDrops, answerCalls } from "../../src/main/ipc.ts";
import { badArguments, malformed, pathsOutside, type Hostile } from "./hostileMessages.ts";
import { limitedStudio, Line, makeFolders, serveStudio, type Folders } from "./serving.ts";

interface Door {
  studio: Studio;
  folders: Folders;
  send(message: unknown): Promise<unknown>;
}

async function overWebSocket(): Promise<Door> {
  const site = await serveStudio();
  const line = await Line.connect(site);
  return {
    studio: site.studio,
    folders: site.folders,
    send: (message) => line.exchange(JSON.stringify(message)),
  };
}

type Handler = (event: IpcMainInvokeEvent, message: unknown) => Promise<unknown>;
type Listener = (event: unknown, data: unknown) => void;

/** The part of Electron's ipcMain that is used, and the doors behind it. */
class FakeIpc {
  readonly handlers = new Map<string, Handler>();
  readonly listeners = new Map<string, Listener>();

  get ipcMain(): IpcMain {
    const part = {
      handle: (channel: string, handler: Handler) => void this.handlers.set(channel, handler),
      on: (channel: string, listener: Listener) => void this.listeners.set(channel, listener),
    };
    return part as unknown as IpcMain;
  }

  /** Arguments cross IPC by structured clone. */
  invoke(channel: string, message: unknown, event: unknown = ownFrame()): Promise<unknown> {
    const handler = this.handlers.get(channel);
    if (!handler) throw new Error(`Nobody handles ${channel}.`);
    return handler(event as IpcMainInvokeEvent, structuredClone(message));
  }
}

function ownFrame(): unknown {
  return { senderFrame: { url: "app://keystone/index.html#/home", parent: null } };
}

async function overIpc(): Promise<Door & { ipc: FakeIpc }> {
  const folders = makeFolders();
  const studio = limitedStudio(folders);
  const ipc = new FakeIpc();
  answerCalls(ipc.ipcMain, studio);
  return { ipc, studio, folders, send: (message) => ipc.invoke("keystone:call", message) };
}

const doors = [
  ["WebSocket", overWebSocket],
  ["Electron's IPC", overIpc],
] as const;

const kinds: [string, (folders: Folders) => Hostile[]][] = [
  ["malformed messages", malformed],
  ["known calls with bad arguments", badArguments],
  ["paths outside the allowed folder", pathsOutside],
];

describe.each(doors)("over %s", (_name, open) => {
  it.each(kinds)("%s are each refused with a typed error, and the studio lives on", async (_kind, list) => {
    const door = await open();
    const messages = list(door.folders);
    expect(messages.length).toBeGreaterThan(20);
    for (const { name, message, code } of messages) {
      const answer = await door.send(message);
      const error = { code: typeof code === "string" ? code : (expect.stringMatching(code) as string) };
      expect(answer, name).toMatchObject({ error });
      expect(answer, name).toMatchObject({
        error: {
          message: expect.stringMatching(/\S/) as string,
          next: expect.stringMatching(/\S/) as string,
        },
      });
      expect(answer, name).not.toHaveProperty("reply");
    }
    expect(await door.send({ id: 2, call: "job:list", args: {} })).toEqual({ id: 2, reply: [] });
    expect(Object.prototype).not.toHaveProperty("admin");
    expect(await door.studio.call("run:list", {})).toEqual([]);
    expect(existsSync(join(door.folders.outside, "not-there-yet"))).toBe(false);
    expect(readFileSync(join(door.folders.outside, "secret.txt"), "utf8")).toBe("Not for the window.");
  });

  it("the allowed folder itself can be listed, without the links that lead out", async () => {
    const door = await open();
    expect(
      await door.send({ id: 3, call: "folder:list", args: { path: door.folders.allowed } }),
    ).toMatchObject({
      id: 3,
      reply: { parent: null, entries: [{ name: "text.txt" }] },
    });
  });
});

describe("bytes that are no message, over WebSocket", () => {
  it.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["JavaScript", "alert(1)"],
    ["two objects", "{}{}"],
    ["broken UTF-16", '"\\ud800'],
    ["a number too many", '{"id":1,"call":"app:info"},'],
    ["binary", Buffer.from('{"id":1,"call":"app:info"}')],
    ["brackets a million deep", "[".repeat(1_000_000)],
    [
      "arrays a hundred thousand deep",
      `{"id":1,"call":"plan:save","args":{"name":"p","plan":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
    ],
  ])("%s", async (_name, data) => {
    const site = await serveStudio();
    const line = await Line.connect(site);
    expect(await line.exchange(data)).toMatchObject({
      error: { code: expect.stringMatching(/^(usage|plan|internal)\//) as string },
    });
    expect(await line.exchange(JSON.stringify({ id: 2, call: "job:list" }))).toEqual({ id: 2, reply: [] });
  });
});

describe("values that only structured clone carries, over Electron's IPC", () => {
  const cyclic: Record<string, unknown> = { id: 1, call: "plan:save" };
  cyclic["args"] = { name: "p", plan: cyclic };
  it.each([
    ["a bigint as id", { id: 1n, call: "app:info" }],
    ["NaN as id", { id: NaN, call: "app:info" }],
    ["a bigint as call", { id: 1, call: 1n }],
    ["a map", new Map([["id", 1]])],
    ["a date", new Date()],
    ["an error", new Error("no")],
    ["a typed array", new Uint8Array(8)],
    ["a typed array as path", { id: 1, call: "model:open", args: { path: new Uint8Array(8) } }],
    ["a cycle", cyclic],
    ["undefined", undefined],
    ["NaN as a sequence number", { id: 1, call: "events:since", args: { seq: NaN } }],
  ])("%s", async (_name, message) => {
    const door = await overIpc();
    expect(await door.send(message)).toMatchObject({
      error: { code: expect.stringMatching(/^(usage|plan)\//) as string },
    });
    expect(await door.send({ id: 2, call: "job:list" })).toEqual({ id: 2, reply: [] });
  });
});

describe("senders other than the studio's own top frame", () => {
  const foreign: [string, unknown][] = [
    ["another site", { senderFrame: { url: "https://evil.example/", parent: null } }],
    ["another host of the scheme", { senderFrame: { url: "app://evil/", parent: null } }],
    [
      "a user name that looks like ours",
      { senderFrame: { url: "https://app:keystone@evil.example/", parent: null } },
    ],
    ["a file", { senderFrame: { url: "file:///tmp/index.html", parent: null } }],
    [
      "a frame inside our page",
      { senderFrame: { url: "app://keystone/", parent: { url: "app://keystone/" } } },
    ],
    ["a frame that is gone", { senderFrame: null }],
    ["an empty address", { senderFrame: { url: "", parent: null } }],
  ];
  it.each(foreign)("%s: calls are refused, drops are not taken", async (_name, event) => {
    const { ipc } = await overIpc();
    const granted: string[] = [];
    acceptDrops(ipc.ipcMain, (path) => granted.push(path));
    expect(await ipc.invoke("keystone:call", { id: 1, call: "app:info" }, event)).toMatchObject({
      id: null,
      error: { code: "access/foreign-sender" },
    });
    ipc.listeners.get("keystone:dropped")?.(event, "/tmp");
    expect(granted).toEqual([]);
  });

  it("drops of our own window are taken when they are paths", async () => {
    const { ipc } = await overIpc();
    const granted: string[] = [];
    acceptDrops(ipc.ipcMain, (path) => granted.push(path));
    for (const path of ["/models/a", "", "x\0y", 7, null, {}, ["/"], "y".repeat(5000)])
      ipc.listeners.get("keystone:dropped")?.(ownFrame(), path);
    expect(granted).toEqual(["/models/a"]);
  });
});
