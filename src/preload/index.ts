import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from "electron";
import type { DesktopBridge } from "#shared/command.ts";

let lastId = 0;

/** Listens on one channel and hands on the data alone: the IPC event would carry a way back into Electron. */
function listen(channel: string, listener: (data: unknown) => void): () => void {
  const handler = (_event: IpcRendererEvent, data: unknown): void => listener(data);
  ipcRenderer.on(channel, handler);
  return () => ipcRenderer.off(channel, handler);
}

const bridge: DesktopBridge = {
  async call(name, args) {
    const answer = (await ipcRenderer.invoke("keystone:call", { id: ++lastId, call: name, args })) as
      | { reply: unknown }
      | { error: unknown };
    return "error" in answer ? { ok: false, error: answer.error } : { ok: true, reply: answer.reply };
  },
  onEvent: (listener) => listen("keystone:event", listener),
  onCommand: (listener) => listen("keystone:command", listener),
  pathOf(file) {
    const path = webUtils.getPathForFile(file);
    // A drop is a person's choice: only what came in as a File can be granted this way.
    if (path !== "") ipcRenderer.send("keystone:dropped", path);
    return path;
  },
  platform: process.platform,
};

contextBridge.exposeInMainWorld("keystone", bridge);
