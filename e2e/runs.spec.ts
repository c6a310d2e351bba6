import { expect, type Browser, type Download, type Locator, type Page } from "@playwright/test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed, type Served } from "./support/served.ts";
import { expectAccessible, openModel, pastePlan, scored, startSweep, visit } from "./support/steps.ts";

const SWEEP_MS = 60_000;
/** Fifty runs are read in about a second; a busy machine may take longer. */
const READ_MS = 30_000;
type Running = Served & { close(): Promise<void> };

async function open(browser: Browser, served: Served): Promise<Page> {
  const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  await page.goto(served.url);
  return page;
}

const button = (page: Page, name: string | RegExp): Locator => page.getByRole("button", { name });

async function saved(page: Page, press: Locator): Promise<{ download: Download; file: string }> {
  const [download] = await Promise.all([page.waitForEvent("download"), press.click()]);
  return { download, file: await download.path() };
}

test.describe.serial("many runs in one table and one chart", () => {
  let served: Running;
  let page: Page;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "manyRuns.ts"));
    page = await open(browser, served);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("5,000 variants of 50 runs: only what differs is shown, two texts are told apart, and few rows are rendered", async () => {
    await visit(page, "#/runs");
    await button(page, "Table of 50 runs").click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("5,000 variants of 50 runs", {
      timeout: READ_MS,
    });
    const grid = page.getByRole("grid", { name: "Variants of several runs" });
    await expect(grid).toHaveAttribute("aria-rowcount", "5001");
    const titles = await grid.getByRole("columnheader").allInnerTexts();
    expect(titles.map((title) => title.trim())).toEqual(
      expect.arrayContaining(["Run", "Measured", "Scheme", "Granularity", "Bits/weight", "Perplexity", "KL"]),
    );
    expect(titles.map((title) => title.trim())).not.toContain("Model");
    await expect(page.getByRole("main")).toContainText("Equal everywhere: Model demo-model");
    await expect(page.getByRole("main")).toContainText("These runs were measured in 2 ways (1 and 2).");
    await expect(page.getByRole("main")).toContainText("other.txt (SHA-256 bbbbbbbb…)");
    expect(await grid.getByRole("row").count()).toBeLessThan(120);
  });

  test("it is filtered and sorted before one notices, and rows measured alike stay together", async () => {
    const grid = page.getByRole("grid", { name: "Variants of several runs" });
    const slowest = await page.evaluate(async () => {
      const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
      let most = 0;
      const input = document.querySelector<HTMLInputElement>('input[aria-label="Filter variants"]');
      const presses = [...document.querySelectorAll<HTMLElement>("th .sorter")].slice(0, 4);
      for (const act of [
        ...presses.map((press) => () => press.click()),
        ...["bits = 4", "bits = 4, group 64", ""].map((text) => () => {
          if (!input) throw new Error("There is no filter.");
          input.value = text;
          input.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ]) {
        const started = performance.now();
        act();
        await frame();
        await frame();
        most = Math.max(most, performance.now() - started);
      }
      return most;
    });
    // Generous for a busy machine; without windowing and one collator it is seconds.
    expect(slowest).toBeLessThan(1_500);
    await page.getByLabel("Filter variants").fill("bits = 4, run = sweep 50");
    await expect(page.getByRole("status").filter({ hasText: "match" })).toHaveText("15 of 5,000 match");
    await page.getByLabel("Filter variants").fill("");
    await grid.getByRole("button", { name: "KL", exact: true }).click();
    await page.getByRole("group", { name: "Measured" }).getByRole("button", { name: "1" }).click();
    await expect(page.getByRole("status").filter({ hasText: "match" })).toHaveText("100 of 5,000 match");
    await page.getByRole("group", { name: "Measured" }).getByRole("button", { name: "All" }).click();
    await page.getByLabel("Filter variants").fill("colour = red");
    await expect(page.getByText("There is no field colour.")).toBeVisible();
    await page.getByLabel("Filter variants").fill("");
  });

  test("it is saved as CSV, JSON and Markdown with every row, and each says how it was measured", async () => {
    const group = page.getByRole("group", { name: "Save the table" });
    const csv = readFileSync((await saved(page, group.getByRole("button", { name: "CSV" }))).file, "utf8");
    expect(csv.trim().split("\r\n")).toHaveLength(5_001);
    expect(csv.split("eval.jsonl (SHA-256 aaaaaaaa…)")).toHaveLength(4_901);
    expect(csv.split("other.txt (SHA-256 bbbbbbbb…)")).toHaveLength(101);
    const json = JSON.parse(
      readFileSync((await saved(page, group.getByRole("button", { name: "JSON" }))).file, "utf8"),
    ) as { measured: unknown[]; rows: unknown[] };
    expect(json.measured).toHaveLength(2);
    expect(json.rows).toHaveLength(5_000);
    await page.getByLabel("Filter variants").fill("bits = 8, group 64");
    const { download, file } = await saved(page, group.getByRole("button", { name: "Markdown" }));
    expect(download.suggestedFilename()).toBe("keystone-runs.md");
    const markdown = readFileSync(file, "utf8");
    expect(markdown).toContain("measured in 2 ways");
    expect(markdown.split("\n").filter((line) => line.startsWith("|"))).toHaveLength(52);
    await page.getByLabel("Filter variants").fill("");
  });

  test("a row opens its run at its variant, by keyboard too", async () => {
    const grid = page.getByRole("grid", { name: "Variants of several runs" });
    await page.getByLabel("Filter variants").fill("run = sweep 7, bits = 4, group 64");
    await grid.focus();
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/#\/run\/.+variant=/);
    const results = page.getByRole("grid", { name: "Results" });
    await expect(results.locator("tr[aria-selected=true]")).toContainText("group 64");
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("demo-model");
  });

  test("chosen runs alone make a table, and it is accessible", async () => {
    await visit(page, "#/runs");
    await page.getByRole("checkbox", { name: "Choose Sweep 49", exact: true }).click();
    await page.getByRole("checkbox", { name: "Choose Sweep 48", exact: true }).click();
    await button(page, "Table of 2 runs").click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("200 variants of 2 runs");
    await expect(page.getByRole("main")).not.toContainText("were measured in 2 ways");
    await expect(page.getByRole("main")).toContainText("Measured on eval.jsonl (SHA-256 aaaaaaaa…)");
    await expectAccessible(page);
  });

  test("every run of a model measured alike stands in one chart, with its front", async () => {
    await visit(page, "#/runs");
    await button(page, "Chart of a model").click();
    const chart = page.getByRole("region", { name: "Size and damage" });
    await expect(chart).toContainText("4,900 variants of 49 runs");
    await expect(chart).toContainText("runs measured in 1 other way are not shown beside these");
    await chart.getByLabel("Measured on").selectOption({ index: 0 });
    await expect(chart).toContainText("100 variants of 1 run");
    await chart.getByRole("button", { name: "Perplexity" }).click();
    await expect(chart.getByRole("img", { name: /^Perplexity of 100 variants/ })).toBeVisible();
    await chart.getByRole("button", { name: "Table" }).click();
    await expect(chart.getByRole("table")).toContainText("Sweep 50");
    await expectAccessible(page);
  });
});

test.describe.serial("a run's note, its file, and the run elsewhere", () => {
  let here: Running;
  let there: Running;
  let page: Page;
  let run: string;
  let archive: string;

  test.beforeAll(async ({ browser }) => {
    const slow = join(import.meta.dirname, "support", "slowStudio.ts");
    [here, there] = await Promise.all([startServed(slow), startServed(slow)]);
    page = await open(browser, here);
    await openModel(page, here.demoModel);
    const recipes = [4, 6, 8].map((bits) => ({ scheme: "affine", bits, granularity: "group:64" }));
    await pastePlan(page, { name: "Travels", recipes, judge: { context: 192, tokens: 400 } });
    run = await startSweep(page);
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(recipes.length);
  });
  test.afterAll(async () => {
    await page.context().close();
    await Promise.all([here.close(), there.close()]);
  });

  test("title and note are edited in the window, kept over a reload, and the edit is undone with one press", async () => {
    await visit(page, "#/runs");
    await page.getByRole("grid", { name: "Runs" }).getByRole("row", { name: "Travels" }).click();
    await button(page, "Rename, add a note").click();
    await page.getByLabel("Title", { exact: true }).fill("Groups of 64");
    await page.getByRole("textbox", { name: "Note" }).fill("Eight bits are enough.\nFour are not.");
    await expectAccessible(page);
    await button(page, "Save").click();
    await expect(page.getByRole("region", { name: "Note" })).toContainText("Four are not.");
    await page.reload();
    await expect(page.getByRole("grid", { name: "Runs" })).toContainText("Groups of 64");
    await page.getByRole("grid", { name: "Runs" }).getByRole("row", { name: "Groups of 64" }).click();
    await button(page, "Undo last edit").click();
    await expect(page.getByRole("region", { name: "Note" })).toContainText("No note yet.");
    await expect(page.getByRole("grid", { name: "Runs" })).toContainText("Travels");
    await expect(button(page, "Undo last edit")).toHaveCount(0);
    await button(page, "Rename, add a note").click();
    await page.getByRole("textbox", { name: "Note" }).fill("Eight bits are enough.");
    await button(page, "Save").click();
    await expect(page.getByRole("region", { name: "Note" })).toContainText("Eight bits are enough.");
  });

  test("the model's overview draws all its runs, and a point leads to its variant", async () => {
    await visit(page, "#/overview");
    const chart = page.getByRole("region", { name: "All runs of this model" });
    await expect(chart).toContainText("3 variants of 1 run, 3 on the front");
    await chart.locator(".scatterlayer .point").first().click({ force: true });
    await expect(page).toHaveURL(new RegExp(`#/run/${run}\\?variant=`));
    await expect(page.getByRole("grid", { name: "Results" }).locator("tr[aria-selected=true]")).toHaveCount(
      1,
    );
  });

  test("it is exported as one file", async () => {
    await visit(page, "#/runs");
    await page.getByRole("grid", { name: "Runs" }).getByRole("row", { name: "Travels" }).click();
    const { download, file } = await saved(page, button(page, "Export…"));
    expect(download.suggestedFilename()).toMatch(/^keystone-demo-model-.*\.keystone-run$/);
    archive = join(here.folder, download.suggestedFilename());
    writeFileSync(archive, readFileSync(file));
    expect(readFileSync(archive).includes(here.folder)).toBe(false);
  });

  test("elsewhere it is shown as imported, and is of no model there until the same one is opened", async ({
    browser,
  }) => {
    const other = await open(browser, there);
    await visit(other, "#/runs");
    await other.getByLabel("Archive of a run").setInputFiles(archive);
    const row = other.getByRole("grid", { name: "Runs" }).getByRole("row", { name: "Travels" });
    await expect(row).toContainText("imported");
    await expect(other.getByRole("region", { name: "Note" })).toContainText("Eight bits are enough.");
    await row.dblclick();
    await expect(other).toHaveURL(new RegExp(`#/run/${run}`));
    await expect(other.getByRole("main")).toContainText("scored on another computer");
    await expect(other.getByRole("main")).toContainText(/fingerprint [0-9a-f]{8}\), is not here/);
    await expect(other.getByRole("grid", { name: "Results" })).toContainText("2.13");
    await expect(other.getByRole("button", { name: "Resume" })).toHaveCount(0);
    await expectAccessible(other);

    await other.getByRole("button", { name: "Open the model" }).click();
    await expect(other.getByRole("dialog")).toBeVisible();
    await other.keyboard.press("Escape");
    await openModel(other, there.demoModel);
    await visit(other, `#/run/${run}`);
    await expect(other.getByRole("main")).toContainText("is the one that is open");
    await expect(other.getByRole("region", { name: "Note" })).toContainText("Eight bits are enough.");
    await other.getByRole("grid", { name: "Results" }).getByRole("checkbox").first().check();
    await visit(other, `#/export/${run}`);
    await expect(other.getByText("The text of an imported run is not on this computer.")).toBeVisible();
    await expect(other.getByRole("checkbox", { name: /^Reload the files/ })).toBeDisabled();
    await visit(other, "#/overview");
    await expect(other.getByRole("region", { name: "All runs of this model" })).toContainText(
      "3 variants of 1 run",
    );

    await visit(other, "#/runs");
    await other.getByLabel("Archive of a run").setInputFiles(archive);
    const dialog = other.getByRole("dialog", { name: "Replace the earlier import?" });
    await dialog.getByRole("button", { name: "Replace" }).click();
    await expect(dialog).toHaveCount(0);
    const broken = join(there.folder, "broken.keystone-run");
    writeFileSync(broken, readFileSync(archive).subarray(0, 2_000));
    await other.getByLabel("Archive of a run").setInputFiles(broken);
    await expect(other.getByRole("alert")).toContainText("This is no zip file that can be read");
    await other.context().close();
  });
});
