import type { IpcMain } from "electron";
import { EventEmitter } from "node:events";
import { BrowserWindow } from "./browserWindow.ts";
import { answer, hear } from "./channel.ts";
import type { FrameFacts } from "./messages.ts";

type Handler = (event: object, ...data: unknown[]) => unknown;

const posts = new EventEmitter();
const handlers = new Map<string, Handler>();

export const ipcMain = {
  on: (channel: string, listener: Handler) => void posts.on(channel, listener),
  handle: (channel: string, handler: Handler) => {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    handlers.set(channel, handler);
  },
} as unknown as Pick<IpcMain, "on" | "handle">;

function event(window: number, frame: FrameFacts): object {
  const senderFrame = {
    url: frame.url,
    parent: frame.parent === null ? null : { url: frame.parent, parent: null },
  };
  return { sender: BrowserWindow.getAllWindows().find((one) => one.id === window)?.webContents, senderFrame };
}

hear("post", ({ window, frame, channel, data }) => void posts.emit(channel, event(window, frame), ...data));
answer("invoke", async ({ window, frame, channel, data }) => {
  const handler = handlers.get(channel);
  if (!handler) throw new Error(`No handler registered for '${channel}'`);
  return structuredClone(await handler(event(window, frame), ...data));
});
