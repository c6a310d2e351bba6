import { _electron, expect, type Browser, type ElectronApplication, type Page } from "@playwright/test";
import type Electron from "electron";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { StandIn, toApp } from "./standIn/chromium.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The desktop app as a test sees it, whichever of the two runs it. */
export interface Desktop {
  /** Runs a function in the main process. It sees its arguments only. */
  evaluate<R, A>(work: (electron: typeof Electron, argument: A) => R | Promise<R>, argument: A): Promise<R>;
  windows(): Page[];
  /** The page's own address, `app://…`. */
  addressOf(page: Page): string;
  /** Drops a file or folder of this machine on the page, as the system would. */
  drop(page: Page, path: string): Promise<void>;
  /** Exit code of the main process, once it has ended. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
  /** The stand-in itself, for what only it can tell. */
  readonly standIn: StandIn | null;
}

export interface DesktopKind {
  /** Part of every test's title. */
  name: string;
  start(browser: Browser, options: { home: string; args: readonly string[] }): Promise<Desktop>;
}

/** What can run the app here: the stand-in everywhere, Electron itself where its binary is. */
export function desktops(): DesktopKind[] {
  const binary = electronBinary();
  const standIn: DesktopKind = { name: "stand-in for Electron", start: startStandIn };
  return binary === null
    ? [standIn]
    : [standIn, { name: "Electron itself", start: (_browser, options) => startElectron(binary, options) }];
}

/** One line that says what ran and why. */
export function whatRan(): string {
  const binary = electronBinary();
  return binary === null
    ? "Electron's binary is not on this machine: the built main and preload bundles ran against the stand-in, in Chromium."
    : `The built app ran in Electron itself (${binary}) and against the stand-in, in Chromium.`;
}

function electronBinary(): string | null {
  const name =
    { darwin: "Electron.app/Contents/MacOS/Electron", win32: "electron.exe" }[process.platform as string] ??
    "electron";
  const binary = join(
    process.env["ELECTRON_OVERRIDE_DIST_PATH"] ?? join(ROOT, "node_modules/electron/dist"),
    name,
  );
  return existsSync(binary) ? binary : null;
}

async function startStandIn(
  browser: Browser,
  options: { home: string; args: readonly string[] },
): Promise<Desktop> {
  const standIn = await StandIn.start(browser, options);
  return {
    standIn,
    evaluate: (work, argument) => standIn.evaluate(work.toString(), argument) as Promise<never>,
    windows: () => standIn.windows(),
    addressOf: (page) => toApp(page.url()),
    drop: async (page, path) => {
      await standIn.announceDrop(page, basename(path), path);
      await dispatchDrop(page, path);
    },
    ended: standIn.ended,
    stop: () => standIn.stop(),
  };
}

async function startElectron(
  executablePath: string,
  { home, args }: { home: string; args: readonly string[] },
): Promise<Desktop> {
  const root = process.platform === "linux" && process.getuid?.() === 0;
  const app: ElectronApplication = await _electron.launch({
    executablePath,
    args: [...(root ? ["--no-sandbox"] : []), ROOT, ...args],
    env: { ...(process.env as Record<string, string>), KEYSTONE_HOME: home },
  });
  const child = app.process();
  return {
    standIn: null,
    evaluate: (work, argument) => app.evaluate<never, typeof argument>(work as never, argument),
    windows: () => app.windows(),
    addressOf: (page) => page.url(),
    drop: dispatchDrop,
    ended: new Promise((resolve) => child.on("exit", (code) => resolve(code))),
    stop: async () => {
      child.kill("SIGKILL");
      await app.close().catch(() => undefined);
    },
  };
}

/** A drop of the system's: through the DevTools protocol, so that the page gets a real File. */
async function dispatchDrop(page: Page, path: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, x: 700, y: 450, data });
  }
  await session.detach();
}

/** The first window, once its page has come up. */
export async function firstWindow(desktop: Desktop): Promise<Page> {
  await expect.poll(() => desktop.windows().length, { timeout: 30_000 }).toBeGreaterThan(0);
  const page = desktop.windows()[0];
  if (!page) throw new Error("The app has no window.");
  await page.getByRole("banner").waitFor();
  return page;
}

/** Clicks an entry of the application menu, by its labels. */
export async function clickMenu(desktop: Desktop, ...labels: string[]): Promise<void> {
  await desktop.evaluate(({ Menu }, path) => {
    let items = Menu.getApplicationMenu()?.items ?? [];
    for (const [depth, label] of path.entries()) {
      const item = items.find((one) => one.label.replace("&", "") === label);
      if (!item) throw new Error(`The menu has no entry ${path.join(" › ")}.`);
      if (depth === path.length - 1) (item as unknown as { click: () => void }).click();
      items = item.submenu?.items ?? [];
    }
  }, labels);
}
