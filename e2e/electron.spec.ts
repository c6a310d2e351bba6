import { expect, test, type Browser, type Page } from "@playwright/test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clickMenu, desktops, firstWindow, whatRan, type Desktop } from "./electron/desktop.ts";

const RESOURCES = join(import.meta.dirname, "../resources/demo-model");
const DEMO = join(RESOURCES, "model");
const GOLDEN = JSON.parse(readFileSync(join(RESOURCES, "golden.json"), "utf8")) as { superWeights: { layer: number; row: number; column: number }[] };

test.afterAll(() => console.log(`  ${whatRan()}`));

for (const kind of desktops()) {
  const title = (text: string): string => `${text} (${kind.name})`;
  test.describe(`the desktop app, ${kind.name}`, () => {
    let home: string;
    let desktop: Desktop | null = null;

    const start = async (browser: Browser, ...args: string[]): Promise<{ desktop: Desktop; page: Page }> => {
      desktop = await kind.start(browser, { home, args });
      return { desktop, page: await firstWindow(desktop) };
    };

    test.beforeEach(() => {
      test.info().annotations.push({ type: "ran in", description: kind.name });
      home = mkdtempSync(join(tmpdir(), "keystone-desktop-"));
    });
    test.afterEach(async () => {
      await desktop?.stop();
      desktop = null;
      rmSync(home, { recursive: true, force: true });
    });

    test(title("home, the demo model, its search, the super weight in the table"), async ({ browser }) => {
      const { desktop, page } = await start(browser);
      expect(desktop.addressOf(page)).toMatch(/^app:\/\/keystone\//);
      await page.getByRole("button", { name: "Open the demo" }).click();
      await expect(page).toHaveURL(/#\/overview/);
      await page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: /Super weights/ }).click();
      await page.getByRole("button", { name: "Find super weights" }).click();
      const [first] = GOLDEN.superWeights;
      const row = page.getByRole("row", { name: new RegExp(`layers\\.${first?.layer}\\.mlp\\.down_proj.*\\[${first?.row}, ${first?.column}\\]`) });
      await expect(row.first()).toBeVisible({ timeout: 90_000 });
    });
  });
}
void [existsSync, writeFileSync, DEMO, clickMenu];
