/**
 * A stand-in for the `electron` module of the main process, for machines without Electron's binary: the app's built
 * main bundle runs on Node against it, and its windows are pages of a real Chromium. Signatures come from electron.d.ts.
 * It holds what the app uses, and fails loudly (no such export) when the app comes to use more.
 */
import type { App, Dialog, NativeTheme, PowerSaveBlocker, Screen, Shell } from "electron";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BrowserWindow, windowEvents } from "./browserWindow.ts";
import { answer, hear, tell } from "./channel.ts";
import { emitPreventable } from "./emitter.ts";
import { ipcMain } from "./ipcMain.ts";
import { Menu } from "./menu.ts";
import { protocol, session } from "./session.ts";

export { BrowserWindow, ipcMain, Menu, protocol, session };

const appEvents = new EventEmitter();
const paths = new Map([["userData", join(tmpdir(), "keystone-stand-in")]]);
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")) as {
  version: string;
};
const ready = new Promise<void>((resolve) => hear("ready", () => resolve()));

/** What the app told the system, for tests. */
export const told = {
  recentDocuments: [] as string[],
  sandbox: false,
  notifications: [] as object[],
  revealed: [] as string[],
};

type AppPart = Pick<
  App,
  | "whenReady"
  | "quit"
  | "exit"
  | "getVersion"
  | "getPath"
  | "setPath"
  | "requestSingleInstanceLock"
  | "enableSandbox"
  | "setAppUserModelId"
  | "setDesktopName"
  | "addRecentDocument"
  | "isPackaged"
>;

const parts: AppPart = {
  isPackaged: false,
  whenReady: () => ready,
  getVersion: () => version,
  getPath: (name) => {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`Failed to get '${name}' path`);
    return path;
  },
  setPath: (name, path) => void paths.set(name, path),
  requestSingleInstanceLock: () => true,
  enableSandbox: () => (told.sandbox = true),
  setAppUserModelId: () => undefined,
  setDesktopName: () => undefined,
  addRecentDocument: (path) => void told.recentDocuments.push(path),
  quit: () => {
    if (!emitPreventable(appEvents, "before-quit")) return;
    for (const window of BrowserWindow.getAllWindows()) window.close();
    if (BrowserWindow.getAllWindows().length > 0) return;
    appEvents.emit("quit");
    process.exit(0);
  },
  exit: (code) => process.exit(code),
};
/** Listening is left to Node's emitter, whose listeners electron.d.ts types one by one. */
export const app = Object.assign(appEvents, parts) as unknown as AppPart & Pick<App, "on" | "emit">;

windowEvents.on("contents", (contents) => appEvents.emit("web-contents-created", {}, contents));
windowEvents.on("focus", (window) => appEvents.emit("browser-window-focus", {}, window));
windowEvents.on("all-closed", () => {
  // Without a listener Electron quits.
  if (!appEvents.emit("window-all-closed")) app.quit();
});

/** Dialogs nobody answers are cancelled; a test puts its own answers here. */
export const dialog: Pick<Dialog, "showOpenDialog" | "showMessageBox" | "showErrorBox"> = {
  showOpenDialog: () => Promise.resolve({ canceled: true, filePaths: [] }),
  showMessageBox: () => Promise.resolve({ response: 0, checkboxChecked: false }),
  showErrorBox: (title, content) => console.error(`${title}: ${content}`),
};

class Theme extends EventEmitter {
  #source: NativeTheme["themeSource"] = "system";
  #systemDark = false;

  get shouldUseDarkColors(): boolean {
    return this.#source === "system" ? this.#systemDark : this.#source === "dark";
  }
  get themeSource(): NativeTheme["themeSource"] {
    return this.#source;
  }
  set themeSource(source: NativeTheme["themeSource"]) {
    if (source === this.#source) return;
    this.#source = source;
    tell({ type: "theme", dark: this.shouldUseDarkColors });
    this.emit("updated");
  }
}
export const nativeTheme = new Theme();

const bounds = { x: 0, y: 0, width: 2560, height: 1440 };
export const screen: Pick<Screen, "getAllDisplays"> = {
  getAllDisplays: () => [{ id: 1, bounds, workArea: bounds } as ReturnType<Screen["getAllDisplays"]>[number]],
};

export const shell: Pick<Shell, "showItemInFolder"> = {
  showItemInFolder: (path) => void told.revealed.push(path),
};

const blockers = new Set<number>();
export const powerSaveBlocker: Pick<PowerSaveBlocker, "start" | "stop" | "isStarted"> = {
  start: () => {
    blockers.add(blockers.size + 1);
    return blockers.size;
  },
  stop: (id) => blockers.delete(id),
  isStarted: (id) => blockers.has(id),
};

export class Notification extends EventEmitter {
  readonly #options: object;

  constructor(options: object) {
    super();
    this.#options = options;
  }
  static isSupported(): boolean {
    return true;
  }
  show(): void {
    told.notifications.push(this.#options);
  }
}

answer("evaluate", ({ source, argument }) => {
  const electron = {
    app,
    BrowserWindow,
    dialog,
    ipcMain,
    Menu,
    nativeTheme,
    Notification,
    powerSaveBlocker,
    protocol,
    screen,
    session,
    shell,
    told,
  };
  // The test's own function, as text: a closure cannot cross to another process.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const work = new Function("electron", "argument", `return (${source})(electron, argument);`) as (
    electron: object,
    argument: unknown,
  ) => unknown;
  return work(electron, argument);
});
