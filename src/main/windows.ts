import { BrowserWindow, nativeTheme, screen } from "electron";
import type { ShellCommand } from "#shared/command.ts";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { APP_ORIGIN } from "./security.ts";
import { backgroundColour, titleBarOverlay } from "./theme.ts";
import { readWindowState, SMALLEST, writeWindowState } from "./windowState.ts";

/** A page that dies again sooner than this after a reload is left alone: something is wrong with the page itself. */
const RELOAD_AGAIN_AFTER_MS = 10_000;

export interface WindowsOptions {
  preload: string;
  /** File that remembers where the window was. */
  stateFile: string;
  /** Asked before the last window closes; false keeps it. */
  mayCloseLast(): boolean;
}

/** The studio's windows: where they are, what they are sent. */
export class Windows {
  readonly #options: WindowsOptions;
  readonly #open = new Set<BrowserWindow>();
  /** Commands for windows whose page has not loaded yet. */
  readonly #waiting = new Map<BrowserWindow, ShellCommand[]>();

  constructor(options: WindowsOptions) {
    this.#options = options;
    nativeTheme.on("updated", () => this.#paint());
  }

  all(): BrowserWindow[] {
    return [...this.#open];
  }

  /** Opens a window where the last one was. */
  open(): BrowserWindow {
    const displays = screen.getAllDisplays().map((display) => display.workArea);
    const { maximized, width, height, x, y } = readWindowState(this.#options.stateFile, displays);
    const window = new BrowserWindow({
      width,
      height,
      ...(x === undefined || y === undefined ? {} : { x, y }),
      minWidth: SMALLEST.width,
      minHeight: SMALLEST.height,
      show: false,
      title: "Keystone",
      backgroundColor: backgroundColour(),
      titleBarStyle: "hidden",
      titleBarOverlay: titleBarOverlay(),
      webPreferences: {
        preload: this.#options.preload,
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
      },
    });
    this.#open.add(window);
    if (maximized) window.maximize();
    this.#listen(window);
    void window.loadURL(`${APP_ORIGIN}/`);
    return window;
  }

  #listen(window: BrowserWindow): void {
    const contents = window.webContents;
    this.#waiting.set(window, []);
    window.once("ready-to-show", () => window.show());
    contents.once("did-finish-load", () => {
      for (const command of this.#waiting.get(window) ?? []) contents.send("keystone:command", command);
      this.#waiting.delete(window);
    });
    window.on("close", (event) => {
      writeWindowState(this.#options.stateFile, {
        ...window.getNormalBounds(),
        maximized: window.isMaximized(),
      });
      if (this.all().length === 1 && !this.#options.mayCloseLast()) event.preventDefault();
    });
    window.on("closed", () => {
      this.#open.delete(window);
      this.#waiting.delete(window);
    });
    let reloaded = -Infinity;
    contents.on("render-process-gone", (_event, { reason }) => {
      const again = performance.now() - reloaded < RELOAD_AGAIN_AFTER_MS;
      if (reason === "clean-exit" || again) return;
      reloaded = performance.now();
      // Work goes on in the studio; the fresh page catches up with it.
      contents.reload();
    });
  }

  /** Sends a command to the window in front, opening one where there is none. */
  command(command: ShellCommand): void {
    const window = this.all().find((one) => one.isFocused()) ?? this.all()[0] ?? this.open();
    const waiting = this.#waiting.get(window);
    if (waiting) {
      waiting.push(command);
      return;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.webContents.send("keystone:command", command);
  }

  broadcast(event: NumberedEvent): void {
    for (const window of this.all()) {
      if (!window.webContents.isDestroyed()) window.webContents.send("keystone:event", event);
    }
  }

  /** Repaints what the system draws of the windows when the theme changes. */
  #paint(): void {
    for (const window of this.all()) {
      window.setBackgroundColor(backgroundColour());
      // macOS draws its three buttons itself.
      if (process.platform !== "darwin") window.setTitleBarOverlay(titleBarOverlay());
    }
  }
}
