// Takes the screenshots under docs/screenshots: every screen, light and dark, of a real studio on the demo model; and, under widths/,
// those that the layout test looks at.
import { chromium, expect as briefly } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { EXPERIMENTS } from "../src/shared/lab/index.ts";
import { openModel, pastePlan, scored, startSweep, visit } from "../e2e/support/steps.ts";
import { hidePlace, PICTURES, settle } from "../e2e/support/pictures.ts";
import { startServed } from "../e2e/support/served.ts";
import { findChromium, INSTALL_CHROMIUM } from "./findChromium.ts";

/** A loaded machine takes its time. */
const expect = briefly.configure({ timeout: 60_000 });
const folder = join(import.meta.dirname, "../docs/screenshots");

/** 48 variants: enough for a picture, over in a minute. */
const PLAN = {
  name: "Large blocks, with and without the super weight",
  base: { scheme: "affine" },
  grid: {
    bits: [4, 3],
    granularity: ["group:64", "flat:1024", "flat:4096", "flat:16384"],
    range: [null, { method: "zscore", threshold: 9 }, { method: "zscore", threshold: 5 }],
    restore: ["none", "super-weights"],
  },
  judge: { context: 192, tokens: 2048 },
};

const executablePath = findChromium();
if (executablePath === null) {
  console.error(INSTALL_CHROMIUM);
  process.exit(1);
}
const served = await startServed();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
try {
  await page.goto(served.url);
  await shoot("home");
  await openModel(page, served.demoModel);
  await expect(page.getByRole("grid").first()).toContainText("down_proj");
  await visit(page, "#/super-weights");
  await page.getByRole("button", { name: /^Find super weights/ }).click();
  await expect(page.getByRole("region", { name: "What the model can't live without" })).toBeVisible({
    timeout: 60_000,
  });
  await shoot("super-weights");
  await runLab();
  await shoot("lab");
  await shootReport();
  await visit(page, "#/lab/block-scaling");
  await expect(page.getByRole("grid", { name: /^Values: / })).toBeVisible();
  await shoot("lab-block-scaling");
  await visit(page, "#/overview?tensor=model.layers.1.mlp.down_proj.weight");
  await shoot("overview");
  await pastePlan(page, PLAN);
  await shoot("sweep");
  for (const [step, shot] of [
    ["Granularity", "sweep-granularity"],
    ["Outliers", "sweep-outliers"],
    ["Evaluation", "sweep-evaluation"],
  ]) {
    await page.getByRole("button", { name: `Next: ${step}` }).click();
    await shoot(shot);
  }
  const run = await startSweep(page);
  await expect.poll(() => scored(page), { timeout: 600_000 }).toBeGreaterThan(16);
  await shoot("run-live");
  await expect.poll(() => scored(page), { timeout: 900_000 }).toBe(48);
  await shoot("run");
  const boxes = page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false });
  for (const place of [0, 2, 8]) await boxes.nth(place).click();
  await page.getByRole("button", { name: /^Compare 3/ }).click();
  await shoot("compare");
  await generate();
  await shoot("compare-text");
  await visit(page, `#/run/${run}`);
  await page.getByRole("button", { name: /^Compare 3/ }).click();
  await page.getByRole("button", { name: /^Export / }).click();
  await expect(page.getByText("Nearest here").first()).toBeVisible();
  await expect(page.getByText("Checking…")).toHaveCount(0);
  await shoot("export");
  await visit(page, "#/runs");
  await shoot("runs");
  await visit(page, "#/settings");
  await shoot("settings");
} finally {
  await browser.close();
  await served.close();
}
shootWidths();

/** A model with 300 tensors and a long name at three widths, as the layout test leaves each screen. */
function shootWidths(): void {
  const widths = join(folder, "widths");
  mkdirSync(widths, { recursive: true });
  execFileSync(
    process.execPath,
    ["node_modules/@playwright/test/cli.js", "test", "e2e/layout.spec.ts", "--reporter=list"],
    { cwd: join(import.meta.dirname, ".."), stdio: "inherit", env: { ...process.env, [PICTURES]: widths } },
  );
}

/** The variants' texts, written to their end. */
async function generate(): Promise<void> {
  const texts = page.getByRole("region", { name: "Generated text" });
  await texts.getByRole("button", { name: "Generate", exact: true }).click();
  await expect(texts.getByRole("button", { name: "Cancel" })).toBeVisible();
  await expect(texts.getByRole("button", { name: "Cancel" })).toBeHidden({ timeout: 300_000 });
  await expect(page.getByRole("contentinfo")).toContainText("Nothing is running");
  await texts.scrollIntoViewIfNeeded();
}

/** Importance with accuracy on two task files, then the other experiments on perplexity alone. */
async function runLab(): Promise<void> {
  await visit(page, "#/lab");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("textbox", { name: "Tokens" }).fill("1024");
  await page.getByRole("textbox", { name: "Items per task" }).fill("40");
  const tasks = page.getByRole("region", { name: "Tasks", exact: true }).getByRole("checkbox");
  for (const task of await tasks.all()) await task.check();
  await page.getByRole("button", { name: "Run: Importance" }).click();
  await expect(page.getByRole("button", { name: "Cancel Importance" })).toBeVisible();
  for (const task of await tasks.all()) await task.uncheck();
  await page.getByRole("button", { name: "Done" }).click();
  for (const { title } of Object.values(EXPERIMENTS)) {
    if (title !== EXPERIMENTS.importance.title)
      await page.getByRole("button", { name: `Run: ${title}` }).press("Enter");
  }
  await expect(page.getByRole("button", { name: /^Run again: / })).toHaveCount(7, { timeout: 900_000 });
  await expect(page.getByRole("contentinfo")).toContainText("Nothing is running");
}

/** The lab's report as the window saves it, opened from the disk. */
async function shootReport(): Promise<void> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Report", exact: true }).click(),
  ]);
  const file = join(served.folder, download.suggestedFilename());
  await download.saveAs(file);
  const report = await browser.newPage({ viewport: { width: 1100, height: 1400 } });
  await report.goto(pathToFileURL(file).href);
  await expect(report.locator(".main-svg").first()).toBeVisible();
  await report.screenshot({ path: join(folder, "report-light.png") });
  console.log("report-light.png");
  await report.close();
}

/** One screen in both themes, once nothing on it is still loading. */
async function shoot(name: string): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await settle(page);
    await hidePlace(page);
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
    console.log(`${name}-${colorScheme}.png`);
  }
}
