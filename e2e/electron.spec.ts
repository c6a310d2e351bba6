import { expect, test, type Page } from "@playwright/test";
import type { DesktopBridge } from "#shared/command.ts";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clickMenu } from "./electron/desktop.ts";
import { callFrom, inEveryDesktop } from "./electron/inEveryDesktop.ts";

const RESOURCES = join(import.meta.dirname, "../resources/demo-model");
const DEMO = join(RESOURCES, "model");
const GOLDEN = JSON.parse(readFileSync(join(RESOURCES, "golden.json"), "utf8")) as {
  superWeights: { row: number; column: number }[];
};
/** Long enough that it still runs when the test quits. */
const LONG_PLAN = {
  base: { scheme: "affine", granularity: "channel" },
  grid: { bits: [2, 3, 4, 5, 6, 7, 8], range: [null, { method: "mse" }] },
};

/** The overview is drawn; before that, opening the model still decides where the window goes. */
async function modelIsOpen(page: Page): Promise<void> {
  await expect(
    page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: /Sweep/ }),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page).toHaveURL(/#\/overview/);
}

/** The demo model where nobody picked it yet. */
function modelElsewhere(folder: string): string {
  cpSync(DEMO, join(folder, "elsewhere"), { recursive: true });
  return join(folder, "elsewhere");
}

inEveryDesktop("the desktop app", (app) => {
  test("starts at home, opens the demo model, searches it and shows its super weight in the table", async ({
    browser,
  }) => {
    const { desktop, page } = await app.start(browser);
    expect(desktop.addressOf(page)).toMatch(/^app:\/\/keystone\//);
    await page.getByRole("button", { name: "Open the demo", exact: true }).click();
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
  });

  test("menu commands reach the window, those sent before its page listens as well", async ({ browser }) => {
    const { desktop, page } = await app.start(browser, DEMO);
    await modelIsOpen(page);
    await clickMenu(desktop, "View", "Super weights");
    await expect(page).toHaveURL(/#\/super-weights/);
    await clickMenu(desktop, "View", "Search…");
    await expect(page.getByRole("dialog")).toBeVisible();
    await page.keyboard.press("Escape");
    await clickMenu(desktop, "File", "Settings");
    await expect(page).toHaveURL(/#\/settings/);
  });

  test("a path can be used once a person picked it, and not before", async ({ browser }) => {
    const elsewhere = modelElsewhere(app.folder);
    const { desktop, page } = await app.start(browser);
    expect(await callFrom(page, "model:open", { path: elsewhere })).toMatchObject({
      ok: false,
      error: { code: "access/outside" },
    });
    await desktop.evaluate(({ dialog }, path) => {
      dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [path] });
    }, elsewhere);
    await clickMenu(desktop, "File", "Open model…");
    await expect(page).toHaveURL(/#\/overview/);
    expect(await callFrom(page, "model:open", { path: app.folder })).toMatchObject({
      ok: false,
      error: { code: "access/outside" },
    });

    // It stays picked after a restart.
    const again = await app.start(browser);
    expect(await callFrom(again.page, "model:open", { path: elsewhere })).toMatchObject({ ok: true });
  });

  test("a folder dropped on the window opens; a File that a script made opens nothing", async ({
    browser,
  }) => {
    const elsewhere = modelElsewhere(app.folder);
    const { desktop, page } = await app.start(browser);
    const forged = await page.evaluate(() =>
      (window as unknown as { keystone: DesktopBridge }).keystone.pathOf(new File(["x"], "/etc/passwd")),
    );
    expect(forged).toBe("");
    await desktop.drop(page, elsewhere);
    await expect(page).toHaveURL(/#\/overview/);
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("elsewhere");
  });

  test("a plan handed over by a second instance opens in the wizard", async ({ browser }) => {
    const plan = join(app.folder, "mine.keystone-plan");
    writeFileSync(
      plan,
      JSON.stringify({
        base: { scheme: "affine", granularity: "channel" },
        grid: { bits: [3, 4] },
        judge: { tokens: 500 },
      }),
    );
    const { desktop, page } = await app.start(browser, DEMO);
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

  test("quitting while a job runs asks; the answer no keeps it, yes saves the run as interrupted", async ({
    browser,
  }) => {
    const { desktop, page } = await app.start(browser);
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

    const again = await app.start(browser);
    expect(await callFrom(again.page, "run:list", {})).toMatchObject({
      ok: true,
      reply: [{ status: "interrupted" }],
    });
  });

  test("closing the last window while a job runs asks too", async ({ browser }) => {
    const { desktop, page } = await app.start(browser);
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

  test("the window comes back where it was", async ({ browser }) => {
    const first = await app.start(browser);
    await first.desktop.evaluate(
      ({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]?.setBounds({ x: 60, y: 70, width: 1250, height: 810 }),
      null,
    );
    await first.desktop.evaluate(({ app }) => void setTimeout(() => app.quit(), 50), null);
    expect(await first.desktop.ended).toBe(0);
    const second = await app.start(browser);
    const bounds = await second.desktop.evaluate(
      ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getNormalBounds(),
      null,
    );
    expect(bounds).toEqual({ x: 60, y: 70, width: 1250, height: 810 });
  });

  test("the theme of the settings reaches every window and its title bar", async ({ browser }) => {
    const { desktop, page } = await app.start(browser);
    await clickMenu(desktop, "File", "New window");
    await expect.poll(() => desktop.windows().length).toBe(2);
    await callFrom(page, "settings:set", { theme: "dark" });
    for (const window of desktop.windows())
      await expect(window.locator("html")).toHaveAttribute("data-theme", "dark");
    const dark = await desktop.evaluate(({ nativeTheme }) => nativeTheme.shouldUseDarkColors, null);
    expect(dark).toBe(true);
  });
});
