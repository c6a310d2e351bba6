import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from "electron";
import type { DesktopBridge } from "#shared/command.ts";

let lastId = 0;

/**
 * One channel, from the page's first moment: what arrives before anybody listens is kept for the first listener.
 * Only the data is handed on: the IPC event would carry a way back into Electron.
 */
function channel(name: string): (listener: (data: unknown) => void) => () => void {
  const listeners = new Set<(data: unknown) => void>();
  const early: unknown[] = [];
  ipcRenderer.on(name, (_event: IpcRendererEvent, data: unknown) => {
    if (listeners.size === 0) early.push(data);
    for (const listener of listeners) listener(data);
  });
  return (listener) => {
    listeners.add(listener);
    for (const data of early.splice(0)) listener(data);
    return () => void listeners.delete(listener);
  };
}

const onCommand = channel("keystone:command");

function onEvent(listener: (event: unknown) => void): () => void {
  const handler = (_event: IpcRendererEvent, data: unknown): void => listener(data);
  ipcRenderer.on("keystone:event", handler);
  return () => void ipcRenderer.off("keystone:event", handler);
}

const bridge: DesktopBridge = {
  async call(name, args) {
    const answer = (await ipcRenderer.invoke("keystone:call", { id: ++lastId, call: name, args })) as
      { reply: unknown } | { error: unknown };
    return "error" in answer ? { ok: false, error: answer.error } : { ok: true, reply: answer.reply };
  },
  onEvent,
  onCommand,
  pathOf(file) {
    const path = webUtils.getPathForFile(file);
    // A drop is a person's choice: only what came in as a File of the system can be granted this way.
    if (path !== "") ipcRenderer.send("keystone:dropped", path);
    return path;
  },
  platform: process.platform,
};

contextBridge.exposeInMainWorld("keystone", bridge);
