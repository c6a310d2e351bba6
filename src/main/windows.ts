import { BrowserWindow, nativeTheme, screen } from "electron";
import type { ShellCommand } from "#shared/command.ts";
import type { NumberedEvent } from "#shared/events.ts";
import { APP_ORIGIN } from "./security.ts";
import { readWindowState, SMALLEST, writeWindowState } from "./windowState.ts";

/** The studio's windows: where they are, what they are sent. */
export class Windows {
  readonly #preload: string;
  readonly #stateFile: string;

  constructor(preload: string, stateFile: string) {
    this.#preload = preload;
    this.#stateFile = stateFile;
  }

  all(): BrowserWindow[] {
    return BrowserWindow.getAllWindows();
  }

  /** Opens a window; `command` is sent once its page has loaded. */
  open(command?: ShellCommand): BrowserWindow {
    const displays = screen.getAllDisplays().map((display) => display.workArea);
    const { maximized, width, height, x, y } = readWindowState(this.#stateFile, displays);
    const dark = nativeTheme.shouldUseDarkColors;
    const window = new BrowserWindow({
      width,
      height,
      ...(x === undefined || y === undefined ? {} : { x, y }),
      minWidth: SMALLEST.width,
      minHeight: SMALLEST.height,
      show: false,
      title: "Keystone",
      backgroundColor: dark ? "#15171A" : "#FAFBFC",
      titleBarStyle: "hidden",
      titleBarOverlay: { color: dark ? "#0D0E11" : "#EDF0F2", symbolColor: dark ? "#E9EBEE" : "#15191E", height: 40 },
      webPreferences: {
        preload: this.#preload,
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
      },
    });
    if (maximized) window.maximize();
    window.once("ready-to-show", () => window.show());
    window.on("close", () => writeWindowState(this.#stateFile, { ...window.getNormalBounds(), maximized: window.isMaximized() }));
    if (command) window.webContents.once("did-finish-load", () => window.webContents.send("keystone:command", command));
    void window.loadURL(`${APP_ORIGIN}/`);
    return window;
  }

  /** Sends a command to the window in front, opening one where there is none. */
  command(command: ShellCommand): void {
    const window = BrowserWindow.getFocusedWindow() ?? this.all()[0];
    if (window === undefined) {
      this.open(command);
      return;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.webContents.send("keystone:command", command);
  }

  broadcast(event: NumberedEvent): void {
    for (const window of this.all()) window.webContents.send("keystone:event", event);
  }
}
