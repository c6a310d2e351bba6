import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent } from "electron";
import type { KeystoneErrorData } from "#shared/errors.ts";
import { answerMessage, type Answer } from "#studio/answerMessage.ts";
import type { Studio } from "#studio/context/studio.ts";
import { isOwn } from "./security.ts";

/** Longest path taken from a drop; no file system allows more. */
const MAX_PATH = 4096;

/** Calls from the window: the sender must be the studio's own top frame, the message a valid one. */
export function answerCalls(ipc: IpcMain, studio: Studio): void {
  ipc.handle("keystone:call", async (event, message: unknown): Promise<Answer> => {
    if (!fromOwnWindow(event)) return { id: null, error: FOREIGN };
    return answerMessage(studio, message);
  });
}

/** Paths dropped on the window: a person's choice, as much as one in a dialog. */
export function acceptDrops(ipc: IpcMain, grant: (path: string) => void): void {
  ipc.on("keystone:dropped", (event, path: unknown) => {
    if (!fromOwnWindow(event) || typeof path !== "string") return;
    if (path !== "" && path.length <= MAX_PATH && !path.includes("\0")) grant(path);
  });
}

function fromOwnWindow(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && isOwn(frame.url);
}

const FOREIGN: KeystoneErrorData = {
  code: "access/foreign-sender",
  message: "The message did not come from the studio's own window.",
  next: "Use the studio's window.",
  details: {},
};
