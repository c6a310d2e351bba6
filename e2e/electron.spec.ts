import { expect, test, type Browser, type Page } from "@playwright/test";
import type { DesktopBridge } from "#shared/command.ts";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clickMenu, desktops, firstWindow, whatRan, type Desktop } from "./electron/desktop.ts";

const RESOURCES = join(import.meta.dirname, "../resources/demo-model");
const DEMO = join(RESOURCES, "model");
const GOLDEN = JSON.parse(readFileSync(join(RESOURCES, "golden.json"), "utf8")) as {
  superWeights: { row: number; column: number }[];
};
/** Long enough that it still runs when the test quits. */
const LONG_PLAN = {
  base: { codec: "rtn", block: "channel" },
  grid: { bits: [2, 3, 4, 5, 6, 7, 8], clip: [null, { method: "mse" }] },
};

type Answer = Awaited<ReturnType<DesktopBridge["call"]>>;

/** A call through the preload's bridge, as the page makes it. */
function callFrom(page: Page, name: string, args: unknown): Promise<Answer> {
  return page.evaluate(
    ([call, given]) => (window as unknown as { keystone: DesktopBridge }).keystone.call(call, given),
    [name, args] as const,
  );
}

/** The overview is drawn; before that, opening the model still decides where the window goes. */
async function modelIsOpen(page: Page): Promise<void> {
  await expect(
    page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: /Sweep/ }),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page).toHaveURL(/#\/overview/);
}

test.afterAll(() => console.log(`  ${whatRan()}`));

for (const kind of desktops()) {
  const title = (text: string): string => `${text} (${kind.name})`;

  test.describe("the desktop app", () => {
    let folder: string;
    let desktop: Desktop | null = null;

    const start = async (browser: Browser, ...args: string[]): Promise<{ desktop: Desktop; page: Page }> => {
      await desktop?.stop();
      desktop = await kind.start(browser, { home: join(folder, "home"), args });
      return { desktop, page: await firstWindow(desktop) };
    };
    /** The demo model where nobody picked it yet. */
    const modelElsewhere = (): string => {
      cpSync(DEMO, join(folder, "elsewhere"), { recursive: true });
      return join(folder, "elsewhere");
    };

    test.beforeEach(() => {
      test.info().annotations.push({ type: "ran in", description: kind.name });
      folder = mkdtempSync(join(tmpdir(), "keystone-desktop-"));
    });
    test.afterEach(async () => {
      await desktop?.stop();
      desktop = null;
      rmSync(folder, { recursive: true, force: true });
    });

    test(
      title("starts at home, opens the demo model, searches it and shows its super weight in the table"),
      async ({ browser }) => {
        const { desktop, page } = await start(browser);
        expect(desktop.addressOf(page)).toMatch(/^app:\/\/keystone\//);
        await page.getByRole("button", { name: "Open the demo" }).click();
        await expect(page).toHaveURL(/#\/overview/);
        await page
          .getByRole("navigation", { name: "Screens" })
          .getByRole("link", { name: /Super weights/ })
          .click();
        await page.getByRole("button", { name: "Find super weights" }).click();
        const [first] = GOLDEN.superWeights;
        const row = page
          .getByRole("row")
          .filter({ hasText: `[${first?.row}, ${first?.column}]` })
          .filter({ hasText: "Super weight" });
        await expect(row).toBeVisible({ timeout: 90_000 });
        const recent = await desktop.evaluate(({ Menu }) => {
          const file = Menu.getApplicationMenu()?.items.find((item) => item.label === "&File");
          return (
            file?.submenu?.items
              .find((item) => item.label === "Open recent")
              ?.submenu?.items.map((item) => item.label) ?? []
          );
        }, null);
        expect(recent.length).toBe(1);
      },
    );

    test(
      title("menu commands reach the window, those sent before its page listens as well"),
      async ({ browser }) => {
        const { desktop, page } = await start(browser, DEMO);
        await modelIsOpen(page);
        await clickMenu(desktop, "View", "Super weights");
        await expect(page).toHaveURL(/#\/super-weights/);
        await clickMenu(desktop, "View", "Search…");
        await expect(page.getByRole("dialog")).toBeVisible();
        await page.keyboard.press("Escape");
        await clickMenu(desktop, "File", "Settings");
        await expect(page).toHaveURL(/#\/settings/);
      },
    );

    test(title("a path can be used once a person picked it, and not before"), async ({ browser }) => {
      const elsewhere = modelElsewhere();
      const { desktop, page } = await start(browser);
      expect(await callFrom(page, "model:open", { path: elsewhere })).toMatchObject({
        ok: false,
        error: { code: "access/outside" },
      });
      await desktop.evaluate(({ dialog }, path) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [path] });
      }, elsewhere);
      await clickMenu(desktop, "File", "Open model…");
      await expect(page).toHaveURL(/#\/overview/);
      expect(await callFrom(page, "model:open", { path: folder })).toMatchObject({
        ok: false,
        error: { code: "access/outside" },
      });

      // It stays picked after a restart.
      const again = await start(browser);
      expect(await callFrom(again.page, "model:open", { path: elsewhere })).toMatchObject({ ok: true });
    });

    test(
      title("a folder dropped on the window opens; a File that a script made opens nothing"),
      async ({ browser }) => {
        const elsewhere = modelElsewhere();
        const { desktop, page } = await start(browser);
        const forged = await page.evaluate(() =>
          (window as unknown as { keystone: DesktopBridge }).keystone.pathOf(new File(["x"], "/etc/passwd")),
        );
        expect(forged).toBe("");
        await desktop.drop(page, elsewhere);
        await expect(page).toHaveURL(/#\/overview/);
        await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("elsewhere");
      },
    );

    test(title("a plan handed over by a second instance opens in the wizard"), async ({ browser }) => {
      const plan = join(folder, "mine.keystone-plan");
      writeFileSync(
        plan,
        JSON.stringify({
          base: { codec: "rtn", block: "channel" },
          grid: { bits: [3, 4] },
          judge: { tokens: 500 },
        }),
      );
      const { desktop, page } = await start(browser, DEMO);
      await modelIsOpen(page);
      await desktop.evaluate(
        ({ app }, path) => void app.emit("second-instance", {}, ["ignored"], "/", { paths: [path] }),
        plan,
      );
      await expect(page).toHaveURL(/#\/sweep/);
      expect(await callFrom(page, "plan:read", { path: plan })).toMatchObject({ ok: true });
      await desktop.evaluate(({ app }) => void app.emit("second-instance", {}, [], "/", { paths: 7 }), null);
      await expect.poll(() => desktop.windows().length).toBe(2);
    });

    test(
      title("quitting while a job runs asks; the answer no keeps it, yes saves the run as interrupted"),
      async ({ browser }) => {
        const { desktop, page } = await start(browser);
        const started = await callFrom(page, "job:sweep", {
          model: DEMO,
          plan: LONG_PLAN,
          text: join(RESOURCES, "eval.jsonl"),
        });
        expect(started).toMatchObject({ ok: true });
        const asked = (answer: number): Promise<string> =>
          desktop.evaluate(async ({ app, dialog }, response) => {
            const question = new Promise<string>((resolve) => {
              dialog.showMessageBox = (...given: unknown[]) => {
                const { detail } = given.at(-1) as { detail: string };
                resolve(detail);
                return Promise.resolve({ response, checkboxChecked: false });
              };
            });
            app.quit();
            return question;
          }, answer);
        expect(await asked(0)).toContain("can be resumed");
        expect(await callFrom(page, "job:list", {})).toMatchObject({
          ok: true,
          reply: [{ kind: "sweep", status: "running" }],
        });
        expect(await asked(1)).toContain("Every finished variant is saved");
        expect(await desktop.ended).toBe(0);

        const again = await start(browser);
        expect(await callFrom(again.page, "run:list", {})).toMatchObject({
          ok: true,
          reply: [{ status: "interrupted" }],
        });
      },
    );

    test(title("closing the last window while a job runs asks too"), async ({ browser }) => {
      const { desktop, page } = await start(browser);
      await callFrom(page, "job:sweep", {
        model: DEMO,
        plan: LONG_PLAN,
        text: join(RESOURCES, "eval.jsonl"),
      });
      const questions = await desktop.evaluate(async ({ BrowserWindow, dialog }) => {
        let count = 0;
        dialog.showMessageBox = () => {
          count++;
          return Promise.resolve({ response: 0, checkboxChecked: false });
        };
        BrowserWindow.getAllWindows()[0]?.close();
        await new Promise((resolve) => setTimeout(resolve, 200));
        return count;
      }, null);
      // On macOS the app, and its work, go on without a window.
      const stays = process.platform === "darwin" ? 0 : 1;
      expect(questions).toBe(stays);
      expect(desktop.windows().length).toBe(stays);
    });

    test(title("the window comes back where it was"), async ({ browser }) => {
      const first = await start(browser);
      await first.desktop.evaluate(
        ({ BrowserWindow }) =>
          BrowserWindow.getAllWindows()[0]?.setBounds({ x: 60, y: 70, width: 1250, height: 810 }),
        null,
      );
      await first.desktop.evaluate(({ app }) => void setTimeout(() => app.quit(), 50), null);
      expect(await first.desktop.ended).toBe(0);
      const second = await start(browser);
      const bounds = await second.desktop.evaluate(
        ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getNormalBounds(),
        null,
      );
      expect(bounds).toEqual({ x: 60, y: 70, width: 1250, height: 810 });
    });

    test(
      title("the page cannot leave, open windows, reach the network or run scripts of its own"),
      async ({ browser }) => {
        const { desktop, page } = await start(browser);
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
      },
    );

    test(
      title("the page sees the contract's bridge and nothing of Node or Electron"),
      async ({ browser }) => {
        const { page } = await start(browser);
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
      },
    );

    test(title("windows are made with every protection on"), async ({ browser }) => {
      const { desktop } = await start(browser);
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

    test(title("the theme of the settings reaches every window and its title bar"), async ({ browser }) => {
      const { desktop, page } = await start(browser);
      await clickMenu(desktop, "File", "New window");
      await expect.poll(() => desktop.windows().length).toBe(2);
      await callFrom(page, "settings:set", { theme: "dark" });
      for (const window of desktop.windows())
        await expect(window.locator("html")).toHaveAttribute("data-theme", "dark");
      const dark = await desktop.evaluate(({ nativeTheme }) => nativeTheme.shouldUseDarkColors, null);
      expect(dark).toBe(true);
    });
  });
}

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
