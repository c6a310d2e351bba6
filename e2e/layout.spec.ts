// Every screen at three widths, of a model with 300 tensors, a name of 120 characters and twelve candidates, with a run of many variants:
// nothing wider than the window, no heading of more than two lines, no number cut, both themes accessible.
import { expect, type Page } from "@playwright/test";
import { join } from "node:path";
import type { Shape } from "../bench/checkpointShape.ts";
import { writeSparseCheckpoint } from "../bench/sparseCheckpoint.ts";
import { keepPicture } from "./support/pictures.ts";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { expectAccessible, openModel, pastePlan, scored, startSweep, visit } from "./support/steps.ts";

const WIDTHS = [1100, 1440, 2560];
/** 300 tensors: nine of each layer, two embeddings and the last norm; as large as the made-up super weights' places need. */
const SHAPE: Shape = {
  layers: 33,
  hidden: 256,
  intermediate: 512,
  heads: 4,
  keyValueHeads: 2,
  vocabulary: 512,
  context: 256,
};
const NAME = "a-checkpoint-whose-name-says-everything-".repeat(3);
const PLAN = {
  name: "Layout",
  base: { scheme: "affine" },
  grid: {
    bits: [4, 3],
    granularity: ["group:64", "flat:4096", "tensor"],
    restore: ["none", "super-weights"],
  },
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
      "main td.num, main .cell, main dd, main .shared, main .value",
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
    for (const table of document.querySelectorAll<HTMLElement>("main .scroll > table")) {
      const used = [...table.querySelectorAll<HTMLElement>("thead th")].reduce(
        (sum, th) => sum + th.offsetWidth,
        0,
      );
      if (used < table.offsetWidth - 2)
        found.push(`a table has room without a column: ${used} of ${table.offsetWidth} px`);
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
    await keepPicture(page, nameOf(screen));
  }
}

/** "#/run/2026…" → "run", "#/runs/table" → "runs-table". */
function nameOf(screen: string): string {
  return screen
    .slice(2)
    .split("/")
    .filter((part) => !/\d/.test(part))
    .join("-");
}

/** At 1,440 px: every rule in light colours, and what depends on colours in dark ones. */
async function expectBothThemes(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await expectAccessible(page, ["color-contrast"]);
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await expectAccessible(page);
}

test.describe.serial("a model with 300 tensors and a name of 120 characters", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;
  let folder: string;
  let run: string;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "layoutServer.ts"));
    folder = join(served.folder, NAME);
    expect(NAME).toHaveLength(120);
    expect(await writeSparseCheckpoint(folder, SHAPE)).toHaveLength(300);
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
    await openModel(page, folder);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  async function expectScreen(hash: string): Promise<void> {
    await visit(page, hash);
    await expect(page.getByRole("main").getByRole("heading", { level: 1 })).toBeVisible();
    await expectFits(page, hash);
    await expectBothThemes(page);
  }

  test("its search, its sweep and its experiment fit three widths, in both themes", async () => {
    await visit(page, "#/super-weights");
    await page.getByRole("button", { name: /^Find super weights/ }).click();
    await expect(page.getByRole("region", { name: "What the model can't live without" })).toBeVisible();
    await expectScreen("#/super-weights");

    await visit(page, "#/lab");
    await page.getByRole("button", { name: "Run: Sensitivity" }).click();
    await expect(page.getByRole("button", { name: "Run again: Sensitivity" })).toBeVisible();
    await expectScreen("#/lab");
    await expectScreen("#/lab/sensitivity");

    await pastePlan(page, PLAN);
    await expectScreen("#/sweep");
    run = await startSweep(page);
    await expect.poll(() => scored(page)).toBe(12);
    // Both heat maps stand level, and their legend says what the colours mean.
    const maps = page.getByRole("grid", { name: /granularity/ });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const [left, right] = [await maps.nth(0).boundingBox(), await maps.nth(1).boundingBox()];
      expect(Math.abs((left?.y ?? 0) - (right?.y ?? 99))).toBeLessThan(1);
    }
    await expect(page.getByRole("img", { name: /^Colour scale from \+?\d/ })).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Lowest KL");
    await expectScreen(`#/run/${run}`);
  });

  test("what is made of its run fits three widths, in both themes", async () => {
    const boxes = page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false });
    for (const place of [0, 2]) await boxes.nth(place).click();
    for (const hash of [`#/compare/${run}`, `#/export/${run}`, "#/runs", "#/runs/table", "#/runs/chart"])
      await expectScreen(hash);
  });

  test("the other screens fit three widths, in both themes", async () => {
    for (const hash of ["#/overview", "#/diff", "#/settings", "#/home"]) await expectScreen(hash);
  });

  test("? lists the keys, and the picker takes a path and remembers its folder", async () => {
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
    await expect(help).toContainText("Open a model");
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(help).toBeHidden();

    await page.keyboard.press("Control+o");
    const picker = page.getByRole("dialog", { name: /Choose a checkpoint/ });
    const field = picker.getByRole("textbox", { name: "Path of a folder" });
    await field.fill(join(served.folder, "nowhere"));
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
});
