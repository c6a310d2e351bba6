import { expect, type Page } from "@playwright/test";
import { openModel, PLAN, scored } from "./support/steps.ts";
import { test } from "./support/served.ts";

const SWEEP_MS = 150_000;
const MOST_TABS = 60;

test("plan, sweep, picks, comparison, text and export by keys alone", async ({ keystone: page, served }) => {
  await openModel(page, served.demoModel);
  await page.keyboard.press("Alt+4");
  await expect(page.getByRole("button", { name: "Start sweep" })).toBeVisible();
  await command(page, "Load a plan");
  await tabTo(page, "TEXTAREA");
  await page.keyboard.insertText(
    JSON.stringify({ ...PLAN, grid: { ...PLAN.grid, bits: [4], granularity: ["flat:4096"] } }),
  );
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("complementary", { name: "This sweep" })).toContainText("4 variants");
  await expect(page.getByRole("button", { name: "Start sweep" })).toBeEnabled();
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/#\/run\//);
  await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(4);

  await page.keyboard.press("Escape");
  await expect(page.getByRole("grid", { name: "Results" })).toBeFocused();
  await page.keyboard.press("Home");
  await page.keyboard.press("Space");
  await page.keyboard.press("Space");
  await expect(page.getByRole("button", { name: /^Compare 2/ })).toBeEnabled();
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("table", { name: "Comparison" }).getByRole("columnheader")).toHaveCount(3);

  await tabTo(page, "Prompt");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Generated text" })).toContainText("48 tokens", {
    timeout: 60_000,
  });
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/#\/export\//);
  await expect(page.getByRole("region", { name: /^Safetensors/ })).toBeVisible();
  await tabTo(page, "Safetensors, dequantized");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /^Export/ })).toBeEnabled();
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText("Verified", { exact: true })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole("button", { name: "Open the export" })).toBeVisible();
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/#\/overview/);
});

/** Runs a command of the palette. */
async function command(page: Page, words: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.keyboard.insertText(words);
  await page.keyboard.press("Enter");
}

/** Tabs on until what has the focus is of that kind, has that name, or is a button in a region of that name. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  for (let i = 0; i < MOST_TABS; i++) {
    const at = await page.evaluate<string[]>(
      "[document.activeElement?.tagName, document.activeElement?.getAttribute('aria-label'), document.activeElement?.closest('section')?.getAttribute('aria-label')]",
    );
    if (at.includes(wanted)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${wanted} is not reached in ${MOST_TABS} tabs.`);
}
