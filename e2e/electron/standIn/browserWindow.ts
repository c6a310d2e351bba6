import type {
  BrowserWindow as ElectronWindow,
  BrowserWindowConstructorOptions,
  Rectangle,
  WebContents as ElectronContents,
  WindowOpenHandlerResponse,
} from "electron";
import { EventEmitter } from "node:events";
import { answer, hear, tell } from "./channel.ts";
import { emitPreventable } from "./emitter.ts";

/** The methods of Electron's WebContents that the app uses. */
type ContentsPart = Pick<
  ElectronContents,
  "send" | "isDestroyed" | "reload" | "getURL" | "setWindowOpenHandler"
>;

export class WebContents extends EventEmitter implements ContentsPart {
  readonly window: number;
  url = "";
  destroyed = false;
  /** What the app answers to `window.open`; without a handler Electron opens the window. */
  openHandler: Parameters<ElectronContents["setWindowOpenHandler"]>[0] = () => ({ action: "allow" });

  constructor(window: number) {
    super();
    this.window = window;
  }

  send(channel: string, ...data: unknown[]): void {
    tell({ type: "send", window: this.window, channel, data: structuredClone(data) });
  }
  reload(): void {
    tell({ type: "reload", window: this.window });
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  getURL(): string {
    return this.url;
  }
  setWindowOpenHandler(handler: Parameters<ElectronContents["setWindowOpenHandler"]>[0]): void {
    this.openHandler = handler;
  }
}

/** The methods of Electron's BrowserWindow that the app uses, with Electron's own signatures. */
type WindowPart = Pick<
  ElectronWindow,
  | "loadURL"
  | "show"
  | "isFocused"
  | "isMinimized"
  | "restore"
  | "maximize"
  | "isMaximized"
  | "getNormalBounds"
  | "setBounds"
  | "close"
  | "isVisible"
  | "setProgressBar"
  | "setBackgroundColor"
  | "setTitleBarOverlay"
>;

const open = new Map<number, BrowserWindow>();
let last = 0;
let focused = 0;

/** Told of every new page and of the last window's end, as Electron's `app` is. */
export const windowEvents = new EventEmitter();

/** A window without a frame of its own: a page of Chromium, and what the app told the system about it. */
export class BrowserWindow extends EventEmitter implements WindowPart {
  static getAllWindows(): BrowserWindow[] {
    return [...open.values()];
  }
  static getFocusedWindow(): BrowserWindow | null {
    return open.get(focused) ?? null;
  }

  readonly id = ++last;
  readonly webContents = new WebContents(this.id);
  /** For tests: the options it was made with and what the system would show. */
  readonly options: BrowserWindowConstructorOptions;
  progress = -1;
  overlay: object | null = null;
  #bounds: Rectangle;
  #visible = false;
  #minimized = false;
  #maximized = false;

  constructor(options: BrowserWindowConstructorOptions = {}) {
    super();
    this.options = options;
    const { width = 800, height = 600, x = 0, y = 0, webPreferences } = options;
    this.#bounds = { x, y, width, height };
    open.set(this.id, this);
    tell({ type: "open", window: this.id, width, height, preload: webPreferences?.preload ?? "" });
    windowEvents.emit("contents", this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    this.webContents.url = url;
    tell({ type: "load", window: this.id, url });
    await new Promise((resolve) => this.webContents.once("did-finish-load", resolve));
  }
  show(): void {
    this.#visible = true;
    focused = this.id;
    windowEvents.emit("focus", this);
  }
  isVisible(): boolean {
    return this.#visible;
  }
  isFocused(): boolean {
    return focused === this.id;
  }
  isMinimized(): boolean {
    return this.#minimized;
  }
  restore(): void {
    this.#minimized = false;
  }
  maximize(): void {
    this.#maximized = true;
  }
  isMaximized(): boolean {
    return this.#maximized;
  }
  getNormalBounds(): Rectangle {
    return { ...this.#bounds };
  }
  setBounds(bounds: Partial<Rectangle>): void {
    this.#bounds = { ...this.#bounds, ...bounds };
  }
  setProgressBar(progress: number): void {
    this.progress = progress;
  }
  setBackgroundColor(): void {
    // Nothing is seen of it under a page.
  }
  setTitleBarOverlay(overlay: object): void {
    this.overlay = overlay;
  }
  close(): void {
    if (emitPreventable(this, "close")) this.destroy();
  }

  /** Gone, without a question. */
  destroy(): void {
    if (!open.delete(this.id)) return;
    if (focused === this.id) focused = 0;
    this.webContents.destroyed = true;
    tell({ type: "close", window: this.id });
    this.emit("closed");
    if (open.size === 0) windowEvents.emit("all-closed");
  }
}

hear("loaded", ({ window, url }) => {
  const found = open.get(window);
  if (!found) return;
  found.webContents.url = url;
  found.webContents.emit("did-finish-load");
  found.emit("ready-to-show");
});
hear("closed", ({ window }) => open.get(window)?.close());
answer("navigate", ({ window, url, topFrame }) => {
  const contents = open.get(window)?.webContents;
  if (!contents) return false;
  const facts = { url, isMainFrame: topFrame, isSameDocument: false };
  return (
    emitPreventable(contents, "will-frame-navigate", facts) &&
    (!topFrame || emitPreventable(contents, "will-navigate", facts))
  );
});
answer("popup", ({ window, url }): WindowOpenHandlerResponse["action"] => {
  const handler = open.get(window)?.webContents.openHandler;
  return (
    handler?.({
      url,
      frameName: "",
      features: "",
      disposition: "new-window",
      referrer: { url: "", policy: "default" },
    }).action ?? "deny"
  );
});
