import { expect, test } from "@playwright/test";
import type { DesktopBridge } from "#shared/command.ts";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { desktops, firstWindow, type Desktop } from "./electron/desktop.ts";
import { callFrom, inEveryDesktop } from "./electron/inEveryDesktop.ts";

inEveryDesktop("what the desktop app's page may do", (app) => {
  test("the page cannot leave, open windows, reach the network or run scripts of its own", async ({
    browser,
  }) => {
    const { desktop, page } = await app.start(browser);
    await expect(page).toHaveURL(/#\/home/);
    const before = desktop.addressOf(page);
    for (const away of ["https://example.com/", "http://127.0.0.1:9/", "app://elsewhere/"]) {
      await page.evaluate((url) => void (location.href = url), away);
      await page.waitForTimeout(150);
      expect(desktop.addressOf(page)).toBe(before);
    }
    await page.evaluate(() => void window.open("https://example.com/popup"));
    await expect
      .poll(() => desktop.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length, null))
      .toBe(1);
    const reached = await page.evaluate(async () => {
      const script = document.createElement("script");
      script.textContent = "window.inlineRan = true";
      document.body.append(script);
      const image = new Image();
      const loaded = new Promise((resolve) => {
        image.onload = () => resolve(true);
        image.onerror = () => resolve(false);
      });
      image.src = "https://example.com/pixel.png";
      const fetched = await fetch("https://example.com/").then(
        () => true,
        () => false,
      );
      return { inline: "inlineRan" in window, image: await loaded, fetched };
    });
    expect(reached).toEqual({ inline: false, image: false, fetched: false });
    expect(desktop.standIn?.leaked ?? []).toEqual([]);
  });

  test("the page sees the contract's bridge and nothing of Node or Electron", async ({ browser }) => {
    const { page } = await app.start(browser);
    const seen = await page.evaluate(() => {
      const { keystone } = window as unknown as { keystone: DesktopBridge };
      const names = ["require", "process", "module", "Buffer", "ipcRenderer", "electron", "__toMain"];
      return {
        bridge: Object.keys(keystone).sort(),
        frozen: Object.isFrozen(keystone),
        node: names.filter((name) => name in window),
      };
    });
    expect(seen).toEqual({
      bridge: ["call", "onCommand", "onEvent", "pathOf", "platform"],
      frozen: true,
      node: [],
    });
  });

  test("windows are made with every protection on", async ({ browser }) => {
    const { desktop } = await app.start(browser);
    const preferences = await desktop.evaluate(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows() as unknown as {
        options?: { webPreferences: object };
        webContents: { getLastWebPreferences?: () => object };
      }[];
      return window?.options?.webPreferences ?? window?.webContents.getLastWebPreferences?.() ?? {};
    }, null);
    expect(preferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    });
    for (const risky of [
      "allowRunningInsecureContent",
      "experimentalFeatures",
      "nodeIntegrationInWorker",
      "nodeIntegrationInSubFrames",
    ]) {
      expect((preferences as Record<string, unknown>)[risky] ?? false).toBe(false);
    }
    expect(preferences).not.toHaveProperty("enableBlinkFeatures");
  });
});

test.describe("the desktop app, as only the stand-in for Electron can show it", () => {
  const [kind] = desktops();
  let home: string;
  let desktop: Desktop | undefined;

  test.beforeEach(async ({ browser }) => {
    home = mkdtempSync(join(tmpdir(), "keystone-desktop-"));
    desktop = await kind?.start(browser, { home, args: [] });
  });
  test.afterEach(async () => {
    await desktop?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  test("a call from a foreign frame is refused by the built main process (stand-in for Electron)", async () => {
    if (!desktop) throw new Error("The app did not start.");
    await firstWindow(desktop);
    for (const frame of [
      { url: "https://example.com/", parent: null },
      { url: "app://elsewhere/", parent: null },
      { url: "app://keystone/", parent: "app://keystone/" },
    ]) {
      const answer = await desktop.standIn?.callFrom(frame, { id: 1, call: "app:info", args: {} });
      expect(answer).toMatchObject({ id: null, error: { code: "access/foreign-sender" } });
    }
    expect(
      await desktop.standIn?.callFrom(
        { url: "app://keystone/", parent: null },
        { id: 1, call: "app:info", args: {} },
      ),
    ).toMatchObject({ id: 1, reply: { shell: "electron" } });
  });

  test("only copying is permitted, and only to the studio's own page (stand-in for Electron)", async () => {
    if (!desktop) throw new Error("The app did not start.");
    await firstWindow(desktop);
    expect(await desktop.standIn?.permission("app://keystone/", "clipboard-sanitized-write")).toBe(true);
    expect(await desktop.standIn?.permission("https://example.com/", "clipboard-sanitized-write")).toBe(
      false,
    );
    for (const permission of [
      "clipboard-read",
      "geolocation",
      "media",
      "notifications",
      "fileSystem",
      "openExternal",
      "usb",
    ]) {
      expect(await desktop.standIn?.permission("app://keystone/", permission)).toBe(false);
    }
  });

  test("a popup and a navigation are each asked about and refused (stand-in for Electron)", async () => {
    if (!desktop) throw new Error("The app did not start.");
    const page = await firstWindow(desktop);
    await page.evaluate(() => {
      window.open("https://example.com/popup");
      location.href = "https://example.com/away";
    });
    await expect.poll(() => desktop?.standIn?.prevented).toContain("https://example.com/away");
    await expect.poll(() => desktop?.standIn?.denied.length).toBe(1);
  });

  test("the title bar's overlay is drawn in the theme's colours (stand-in for Electron)", async () => {
    if (!desktop) throw new Error("The app did not start.");
    const page = await firstWindow(desktop);
    for (const [theme, colour] of [
      ["dark", "#0D0E11"],
      ["light", "#EDF0F2"],
    ] as const) {
      await callFrom(page, "settings:set", { theme });
      const overlay = await desktop.evaluate(
        ({ BrowserWindow }) => (BrowserWindow.getAllWindows()[0] as unknown as { overlay: object }).overlay,
        null,
      );
      expect(overlay).toMatchObject({ color: colour });
    }
  });

  test("a store that is damaged is said in a dialog, and the app ends (stand-in for Electron)", async ({
    browser,
  }) => {
    const broken = join(home, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "keystone.sqlite"), "this is no database, whatever its name says".repeat(100));
    const failing = await kind?.start(browser, { home: broken, args: [] });
    expect(await failing?.ended).toBe(1);
    await failing?.stop();
  });
});
