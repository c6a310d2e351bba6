import { test, type Browser, type Page } from "@playwright/test";
import type { DesktopBridge } from "#shared/command.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { desktops, firstWindow, whatRan, type Desktop } from "./desktop.ts";

export type Answer = Awaited<ReturnType<DesktopBridge["call"]>>;

/** What a test of the app works with. */
export interface DesktopTest {
  /** A scratch folder that is gone after the test; the app's home is inside. */
  readonly folder: string;
  /** Starts the app with its first window; whatever ran before is stopped. */
  start(browser: Browser, ...args: string[]): Promise<{ desktop: Desktop; page: Page }>;
}

/** The same tests in every shell that is at hand: the stand-in, and Electron's own where its binary is installed. */
export function inEveryDesktop(what: string, tests: (app: DesktopTest) => void): void {
  test.afterAll(() => console.log(`  ${whatRan()}`));
  for (const kind of desktops()) {
    test.describe(`${what} (${kind.name})`, () => {
      let folder = "";
      let running: Desktop | null = null;

      test.beforeEach(() => {
        test.info().annotations.push({ type: "ran in", description: kind.name });
        folder = mkdtempSync(join(tmpdir(), "keystone-desktop-"));
      });
      test.afterEach(async () => {
        await running?.stop();
        running = null;
        rmSync(folder, { recursive: true, force: true });
      });
      tests({
        get folder() {
          return folder;
        },
        start: async (browser, ...args) => {
          await running?.stop();
          running = await kind.start(browser, { home: join(folder, "home"), args });
          return { desktop: running, page: await firstWindow(running) };
        },
      });
    });
  }
}

/** A call through the preload's bridge, as the page makes it. */
export function callFrom(page: Page, name: string, args: unknown): Promise<Answer> {
  return page.evaluate(
    ([call, given]) => (window as unknown as { keystone: DesktopBridge }).keystone.call(call, given),
    [name, args] as const,
  );
}
