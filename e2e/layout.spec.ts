// Every screen at three widths, with twelve candidates, names of 120 characters and a run of many variants: nothing wider than the
// window, no heading of more than two lines, no number cut, both themes accessible.
import { expect, type Page } from "@playwright/test";
import { join } from "node:path";
import { startServed, test } from "./support/served.ts";
import { expectAccessible, openModel, pastePlan, scored, startSweep, visit } from "./support/steps.ts";

const WIDTHS = [1100, 1440, 2560];
const PLAN = {
  name: "Layout",
  base: { codec: "rtn" },
  grid: { bits: [4, 3], block: ["group:64", "flat:4096", "tensor"], restore: ["none", "super-weights"] },
  judge: { context: 192, tokens: 1000 },
};

/** What does not fit: the page, its heading, numbers in cells. */
async function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window");
    for (const h1 of document.querySelectorAll("h1")) {
      const lines = h1.getBoundingClientRect().height / parseFloat(getComputedStyle(h1).lineHeight);
      if (lines > 2.1) found.push(`a heading of ${Math.round(lines)} lines: ${h1.textContent}`);
    }
    for (const cell of document.querySelectorAll<HTMLElement>(
      "main td.num, main .cell, main dd.num, main .value",
    )) {
      if (
        cell.clientWidth > 0 &&
        cell.scrollWidth > cell.clientWidth + 1 &&
        getComputedStyle(cell).overflowX !== "visible"
      )
        found.push(
          `a number is cut: ${cell.textContent.trim()} (${cell.clientWidth} of ${cell.scrollWidth} px)`,
        );
    }
    const status = document.querySelector("footer.statusbar");
    if (status && status.scrollWidth > status.clientWidth) found.push("the status bar is cut");
    return found;
  });
}

async function expectFits(page: Page, screen: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await expect.poll(() => misfits(page), { message: `${screen} at ${width} px` }).toEqual([]);
  }
}

async function expectBothThemes(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await expectAccessible(page);
  }
}

test("the screens of a run fit three widths, in both themes", async ({ keystone: page, served }) => {
  test.setTimeout(240_000);
  await openModel(page, served.demoModel);
  await pastePlan(page, PLAN);
  await expectFits(page, "sweep");
  const run = await startSweep(page);
  await expect.poll(() => scored(page), { timeout: 180_000 }).toBe(12);
  await expectFits(page, "run");
  // Both heat maps stand level, and their legend says what the colours mean.
  const maps = page.getByRole("grid", { name: /block/ });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const [left, right] = [await maps.nth(0).boundingBox(), await maps.nth(1).boundingBox()];
    expect(Math.abs((left?.y ?? 0) - (right?.y ?? 99))).toBeLessThan(1);
  }
  await expect(page.getByRole("img", { name: /^Colour scale from \+\d/ })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(/Lowest KL|No significant difference/i);
  await expectBothThemes(page);
  const boxes = page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false });
  for (const place of [0, 2]) await boxes.nth(place).click();
  for (const screen of ["compare", "export"]) {
    await visit(page, `#/${screen}/${run}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectFits(page, screen);
    await expectBothThemes(page);
  }
  // What a comparison ranks by, and whether its text can tell.
  await visit(page, `#/compare/${run}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText(
    /has the lowest KL, .*(no significant difference from|significantly lower than)/,
  );
});

test("the screens of a model fit three widths, in both themes", async ({ keystone: page, served }) => {
  test.setTimeout(240_000);
  await openModel(page, served.demoModel);
  for (const hash of ["#/overview", "#/lab", "#/runs", "#/settings", "#/"]) {
    await visit(page, hash);
    await expect(page.getByRole("main")).not.toBeEmpty();
    await expectFits(page, hash);
    await expectBothThemes(page);
  }
});

test("? lists the keys, and the picker takes a path and remembers its folder", async ({
  keystone: page,
  served,
}) => {
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(help).toContainText("Open a model");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();

  await page.keyboard.press("Control+o");
  const picker = page.getByRole("dialog", { name: /Choose a checkpoint/ });
  const field = picker.getByRole("textbox", { name: "Path of a folder" });
  await field.fill(join(served.demoModel, "..", "..", "nowhere"));
  await field.press("Enter");
  await expect(picker.getByRole("alert")).toBeVisible();
  await field.fill(served.folder);
  await field.press("Enter");
  await expect(picker.getByRole("alert")).toBeHidden();
  await expect(field).toHaveValue(served.folder);
  await picker.getByRole("button", { name: "Open", exact: true }).click();
  await page.keyboard.press("Control+o");
  await expect(picker.getByRole("textbox", { name: "Path of a folder" })).toHaveValue(served.folder);
});

test("a search with twelve candidates and long names fits three widths", async ({ browser }) => {
  test.setTimeout(120_000);
  const slow = await startServed(join(import.meta.dirname, "support", "searchServer.ts"));
  const context = await browser.newContext();
  const page = await context.newPage();
  try {
    await page.goto(slow.url);
    await openModel(page, slow.demoModel);
    await visit(page, "#/super-weights");
    await page.getByRole("button", { name: /^Find super weights/ }).click();
    await expect(page.getByRole("region", { name: "What the model can't live without" })).toBeVisible({
      timeout: 60_000,
    });
    await expectFits(page, "super weights");
    await expectBothThemes(page);
  } finally {
    await context.close();
    await slow.close();
  }
});
