import { expect, type Page } from "@playwright/test";
import { existsSync } from "node:fs";
import { expectAccessible, openModel, pastePlan, PLAN, scored, startSweep, visit } from "./support/steps.ts";
import { test } from "./support/served.ts";

const SWEEP_MS = 150_000;
/** Text enough for the sweep to be under way still while the test pauses, reloads and cancels it. */
const TOKENS = 2304;
const NAME = "A quick look";

test.describe.serial("a sweep from the wizard to the exported checkpoint", () => {
  let page: Page;
  let run: string;

  test.beforeAll(async ({ browser, served }) => {
    const context = await browser.newContext();
    page = await context.newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
  });
  test.afterAll(async () => page.context().close());

  test("the receipt counts every combination of the chips and says what is wrong beside the field", async () => {
    await visit(page, "#/sweep");
    const receipt = page.getByRole("complementary", { name: "This sweep" });
    await expect(receipt).toContainText("48 variants");
    await page
      .getByRole("group", { name: "Bits, Affine" })
      .getByRole("button", { name: "2", exact: true })
      .click();
    await expect(receipt).toContainText("72 variants");
    await page.getByRole("button", { name: "Next: Granularity" }).click();
    await page.getByRole("textbox", { name: "Another granularity" }).fill("group:96");
    await page.getByRole("button", { name: "Add" }).click();
    await expect(page.getByRole("alert").first()).toContainText("which 96 does not divide");
    await expect(page.getByRole("button", { name: "Start sweep" })).toBeDisabled();
    await page.getByRole("button", { name: "group 64", exact: true }).click();
    await expect(page.getByRole("button", { name: "Start sweep" })).toBeEnabled();
    await expectAccessible(page);
  });

  test("a plan is saved, listed and deleted", async () => {
    await page.getByRole("button", { name: "Save plan…" }).click();
    await page.getByLabel("Name of the plan").fill("Mine");
    await page.getByRole("button", { name: "Save plan", exact: true }).click();
    await page.getByRole("button", { name: "Load plan…" }).click();
    await expect(page.getByRole("button", { name: /^Mine/ })).toBeVisible();
    await page.getByRole("button", { name: "Delete Mine" }).click();
    await expect(page.getByRole("button", { name: /^Mine/ })).toHaveCount(0);
    await page.getByRole("button", { name: "Cancel" }).click();
  });

  test("24 variants stream into heatmap, scatter and table; pause, reload, resume, cancel and go on lose nothing", async ({
    browser,
    served,
  }) => {
    test.setTimeout(3 * SWEEP_MS);
    await pastePlan(page, { ...PLAN, judge: { ...PLAN.judge, tokens: TOKENS }, name: NAME });
    await expect(page.getByRole("complementary", { name: "This sweep" })).toContainText("24 variants");
    run = await startSweep(page);
    await expect.poll(() => scored(page), { timeout: SWEEP_MS, intervals: [50] }).toBeGreaterThan(0);
    await page.getByRole("button", { name: /^Pause/ }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Paused at");
    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Paused at");
    const before = await scored(page);
    const other = await browser.newPage();
    await other.goto(served.url);
    await visit(other, `#/run/${run}`);
    await expect.poll(() => scored(other)).toBeGreaterThanOrEqual(before);
    await page.getByRole("button", { name: /^Resume/ }).click();
    await expect(other.getByRole("heading", { level: 1 })).not.toContainText("Paused");
    await page.getByRole("button", { name: "Cancel…" }).click();
    const confirm = page.getByRole("button", { name: "Cancel sweep" });
    const cancelled = page.getByRole("heading", { level: 1, name: /^Cancelled at/ });
    // It asks only where a variant under way would lose its progress.
    await expect(confirm.or(cancelled)).toBeVisible();
    if (await confirm.isVisible()) await confirm.click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Cancelled at");
    expect(await scored(page)).toBeGreaterThanOrEqual(before);
    await page.getByRole("button", { name: /^Resume/ }).click();
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(24);
    await expect.poll(() => scored(other), { timeout: 15_000 }).toBe(24);
    await other.close();
    await expect(page.getByRole("heading", { level: 1 })).toContainText(/reaches \d+\.\d+ at \d\.\d\d bits/);
    await expect(page.getByRole("grid", { name: /^restored, / }).getByRole("gridcell")).toHaveCount(6);
    await expect(page.getByRole("grid", { name: /^restored, / })).toContainText(/\d\.\d{2,4}/);
    await expect(page.getByRole("img", { name: /^Perplexity of 24 variants/ })).toBeVisible();
    await expectAccessible(page);
  });

  test("a filter, a sort and a cell mark the same variants", async () => {
    await page.getByLabel("Filter results").fill("bits = 4, restored");
    await expect(page.getByRole("region", { name: "Results" }).getByRole("status")).toHaveText(
      "6 of 24 match",
    );
    await page.getByLabel("Filter results").fill("");
    await page
      .getByRole("grid", { name: /^not restored, / })
      .getByRole("gridcell")
      .nth(4)
      .click();
    await expect(page.getByRole("grid", { name: "Results" }).locator("tr.sel")).toContainText("flat 4,096");
    await page.getByRole("group", { name: "Value" }).getByRole("button", { name: "KL" }).click();
    await expect(page.getByRole("img", { name: /^KL divergence of 24 variants/ })).toBeVisible();
    await expect(page.getByRole("grid", { name: "Results" }).locator("tr.sel")).toContainText("flat 4,096");
  });

  test("three picked variants are compared and continue the same prompt", async () => {
    const boxes = page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false });
    for (const place of [0, 3, 8]) await boxes.nth(place).click();
    await page.getByRole("button", { name: /^Compare 3/ }).click();
    const table = page.getByRole("table", { name: "Comparison" });
    await expect(table.getByRole("columnheader")).toHaveCount(4);
    // What a comparison ranks by, and whether its text can tell.
    await expect(page.getByRole("heading", { level: 1 })).toContainText(
      /has the lowest KL, .*(no significant difference from|significantly lower than)/,
    );
    await expect(table.getByRole("row", { name: /^Perplexity/ })).toContainText(/[+−]\d/);
    await page.getByLabel("Tokens").fill("12");
    await page.getByRole("button", { name: "Generate" }).click();
    await expect(page.getByRole("region", { name: "Generated text" })).toContainText("12 tokens", {
      timeout: 60_000,
    });
    await page.getByRole("button", { name: "Score passage" }).click();
    await expect(page.getByRole("img", { name: /^Added loss of \d+ tokens/ })).toBeVisible({
      timeout: 90_000,
    });
    await expectAccessible(page);
  });

  test("a variant is exported, verified on its text, and the files open again", async ({ served }) => {
    await page.getByRole("button", { name: /^Export / }).click();
    // Of the paper's own scheme no packed format is: a copy as large as the source is no proposal, but can be chosen.
    await expect(page.getByRole("button", { name: "Export", exact: true })).toBeDisabled();
    await page
      .getByRole("region", { name: /^Safetensors/ })
      .getByRole("button", { name: "Choose" })
      .click();
    await expect(page.getByText("Will it fit", { exact: true })).toBeVisible();
    await page.getByLabel("New folder").fill("exported");
    const start = page.getByRole("button", { name: /^Export/ });
    await expect(start).toBeEnabled();
    await expectAccessible(page);
    await start.click();
    await expect(page.getByText("Verified", { exact: true })).toBeVisible({ timeout: 120_000 });
    await expect(page.getByRole("heading", { level: 1 })).toContainText("as the variant was evaluated");
    await expect(page.getByRole("table", { name: "Files" })).toContainText("model.safetensors");
    expect(existsSync(`${served.folder}/exported/model.safetensors`)).toBe(true);
    await page.getByRole("button", { name: "Open the export" }).click();
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("exported");
  });

  test("the run is in the history: found, renamed, reopened with its picks, deleted", async () => {
    await visit(page, "#/runs");
    await page.getByLabel("Search runs").fill("quick 24");
    const row = page.getByRole("grid", { name: "Runs" }).getByRole("row", { name: NAME });
    await row.click();
    await page.getByRole("button", { name: "Rename, add a note" }).click();
    await page.getByLabel("Title", { exact: true }).fill("Renamed");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByLabel("Search runs").fill("");
    await expect(page.getByRole("grid", { name: "Runs" })).toContainText("Renamed");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Show" }).click();
    await expect(page.getByRole("button", { name: /^Compare 3/ })).toBeVisible();
    await visit(page, "#/runs");
    await page.getByRole("grid", { name: "Runs" }).getByRole("row", { name: "Renamed" }).click();
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete run" }).click();
    await expect(page.getByRole("grid", { name: "Runs" }).getByText("Renamed")).toHaveCount(0);
  });
});
