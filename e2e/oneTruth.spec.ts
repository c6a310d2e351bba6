import { expect, type Locator, type Page } from "@playwright/test";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { openModel, pastePlan, scored, startSweep, visit } from "./support/steps.ts";

const SWEEP_MS = 60_000;
const judge = { context: 192, tokens: 400 };
const TWO = [
  { scheme: "int", bits: 4, granularity: "group:32" },
  { scheme: "int", bits: 8, granularity: "group:32" },
];

test.describe.serial("what a screen says and does belongs to one model, run and variant", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;
  let other: string;
  let run: string;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "slowStudio.ts"));
    // With its texts beside it, as the demo model has them.
    cpSync(dirname(served.demoModel), join(served.folder, "other-model"), { recursive: true });
    other = join(served.folder, "other-model", "model");
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
    await openModel(page, other);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("a run's heading and best variant are those of now after its screen was left and entered again", async () => {
    const recipes = [3, 4, 5, 6, 7, 8].map((bits) => ({ scheme: "affine", bits, granularity: "group:64" }));
    await pastePlan(page, { recipes, judge });
    run = await startSweep(page);
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBeGreaterThan(0);
    await visit(page, "#/overview");
    await expect(heading(page)).not.toContainText("reaches");
    await visit(page, `#/run/${run}`);
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(recipes.length);
    // The made-up divergence falls with the bits: 8 bits are best, at perplexity 2 + 1/8.
    await expect(heading(page)).toContainText("reaches 2.13 at 8.00 bits");
    const best = page
      .getByRole("grid", { name: "Results" })
      .getByRole("row")
      .filter({ hasText: /Lowest KL/ });
    await expect(best).toContainText("2.13");
  });

  test("a kept run opened beside another model brings its own", async () => {
    await openModel(page, served.demoModel);
    await visit(page, `#/run/${run}`);
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("other-model");
    // Another model can be opened from a run all the same.
    await openModel(page, served.demoModel);
    await expect(page).toHaveURL(/#\/overview/);
    await expect(page.getByRole("navigation", { name: "Screens" })).not.toContainText("other-model");
  });

  test("compare and export of a run refuse to act on another model, and lead to its own", async () => {
    await openModel(page, served.demoModel);
    await expect(page.getByRole("navigation", { name: "Screens" })).not.toContainText("other-model");
    for (const screen of ["compare", "export"]) {
      await visit(page, `#/${screen}/${run}`);
      await expect(page.getByRole("main")).toContainText("This run is of other-model");
      await expect(page.getByRole("button", { name: "Export", exact: true })).toHaveCount(0);
    }
    await page.getByRole("button", { name: "Open other-model" }).click();
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("other-model");
    await expect(page.getByRole("group", { name: "Formats" })).toBeVisible();
  });

  test("an address with an unknown run says so, and what was picked stays", async () => {
    await visit(page, `#/run/${run}`);
    const rows = page.getByRole("grid", { name: "Results" }).getByRole("row");
    await rows.nth(1).getByRole("checkbox").check();
    await visit(page, "#/run/no-such-run");
    await expect(page.getByRole("main")).toContainText("There is no run no-such-run");
    await visit(page, "#/export");
    await expect(page.getByRole("group", { name: "Formats" })).toBeVisible();
    await visit(page, "#/export/no-such-run");
    await expect(page.getByRole("main")).toContainText("The run cannot be shown");
    await visit(page, "#/compare");
    await expect(page.getByRole("table", { name: "Comparison" })).toBeVisible();
  });

  test("with another variant asked about, formats and sizes of the one before are gone until the answer comes", async () => {
    await pastePlan(page, { recipes: TWO, judge });
    run = await startSweep(page);
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(TWO.length);
    const rows = page.getByRole("grid", { name: "Results" }).getByRole("row");
    await rows.nth(1).getByRole("checkbox").check();
    await rows.nth(2).getByRole("checkbox").check();
    await visit(page, `#/export/${run}`);
    const formats = page.getByRole("group", { name: "Formats" });
    await expect(formats).toContainText("Checking formats…");
    const onnx = page.getByRole("region", { name: /^ONNX/ });
    await expect(onnx).toBeVisible();
    // It may be the one that was proposed.
    await onnx.getByRole("button", { name: /^Cho/ }).click();
    await expect(page.getByRole("button", { name: "Export", exact: true })).toBeEnabled();

    await page.getByRole("radio").nth(1).check();
    await expect(formats).toContainText("Checking formats…", { timeout: 1_000 });
    await expect(formats.getByRole("button")).toHaveCount(0, { timeout: 1_000 });
    await expect(page.getByText("Size of the weights")).toHaveCount(0, { timeout: 1_000 });
    await expect(page.getByRole("button", { name: "Export", exact: true })).toBeDisabled();
    await expect(onnx.getByRole("button", { name: "Chosen" })).toBeVisible();
    await expect(page.getByText("Size of the weights")).toBeVisible();
  });
});

function heading(page: Page): Locator {
  return page.getByRole("heading", { level: 1 });
}
