import { expect, type Download, type Page } from "@playwright/test";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expectAccessible, openModel, visit } from "./support/steps.ts";
import { test } from "./support/served.ts";

const RUN_MS = 60_000;
/** Enough for eleven factors to come one after the other, few enough to be over soon. */
const TOKENS = "768";
const PNG_SIGNATURE = "89504e470d0a1a0a";

test.describe.serial("the lab", () => {
  let page: Page;
  let other: string;

  test.beforeAll(async ({ browser, served }) => {
    const context = await browser.newContext({ reducedMotion: "reduce" });
    page = await context.newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
    other = await changedCopy(served.demoModel, join(served.folder, "other-model"));
  });
  test.afterAll(async () => page.context().close());

  test("opens with its digit, says that the search comes first, and what is wrong beside the field", async () => {
    await page.keyboard.press("Alt+3");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(
      "No experiment has run on this model yet",
    );
    await expect(page.getByRole("main")).toContainText("begins with the search for super weights");
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByRole("textbox", { name: "Context" }).fill("100000");
    await expect(page.getByRole("alert")).toContainText("A whole number from 2 to 192");
    await expect(page.getByRole("button", { name: "Run: Importance" })).toBeDisabled();
    await page.getByRole("textbox", { name: "Context" }).fill("");
    await page.getByRole("textbox", { name: "Tokens" }).fill(TOKENS);
    await page.getByRole("checkbox", { name: "tasks-choice.jsonl" }).check();
    await page.getByRole("textbox", { name: "Items per task" }).fill("10");
    await page.getByRole("button", { name: "Done" }).click();

    const sensitivity = card(page, "Sensitivity");
    await sensitivity.getByRole("button", { name: "Options" }).click();
    await sensitivity.getByRole("textbox", { name: "Factors" }).fill("0, much");
    await expect(sensitivity.getByRole("alert")).toContainText("From −16 to 16");
    await expect(sensitivity.getByRole("button", { name: "Run: Sensitivity" })).toBeDisabled();
    await sensitivity.getByRole("button", { name: "Defaults" }).click();
    await expect(sensitivity.getByRole("button", { name: "Run: Sensitivity" })).toBeEnabled();
    await expectAccessible(page);
    await sensitivity.getByRole("button", { name: "Options" }).click();
  });

  test("importance: the ablation table, with accuracy, and the finding as the screen's heading", async () => {
    await card(page, "Importance").getByRole("button", { name: "Run: Importance" }).click();
    const table = page.getByRole("grid", { name: "Ablations" });
    await expect(table).toBeVisible({ timeout: RUN_MS });
    await idle(page);
    const pruned = table.getByRole("row", { name: /^super weights pruned 1 / });
    await expect(pruned).toContainText("× 10⁷");
    await expect(table.getByRole("row", { name: /^original/ })).toContainText("1.8");
    await expect(page.getByRole("heading", { level: 1 })).toContainText("multiplies perplexity by");
    const differs = card(page, "Importance").getByText(/recovers about 42% of the lost accuracy; here it/);
    await expect(differs).toBeVisible();
    await expect(differs).toContainText("recovers everything");
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("1 kept");
    // What follows is about perplexity.
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByRole("checkbox", { name: "tasks-choice.jsonl" }).uncheck();
    await page.getByRole("button", { name: "Done" }).click();
  });

  test("sensitivity: points come one by one; a waiting experiment is cancelled and leaves nothing", async () => {
    const sensitivity = card(page, "Sensitivity");
    await sensitivity.getByRole("button", { name: "Run: Sensitivity" }).click();
    const blocks = card(page, "Block scaling");
    await blocks.getByRole("button", { name: "Run: Block scaling" }).click();
    await blocks.getByRole("button", { name: "Cancel Block scaling" }).click();
    await expect(blocks.getByRole("button", { name: "Run: Block scaling" })).toBeVisible();
    const counts = new Set<number>();
    await expect
      .poll(
        async () => {
          counts.add(await sensitivity.locator(".scatterlayer .point").count());
          return counts.has(11);
        },
        { intervals: [50], timeout: RUN_MS },
      )
      .toBe(true);
    expect([...counts].filter((count) => count > 0 && count < 11).length).toBeGreaterThan(1);
    await idle(page);
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("2 kept");
    await expect(blocks.getByRole("alert")).toHaveCount(0);
  });

  test("the slider walks the factors by keys, and a factor that was not scored joins the curve", async () => {
    const sensitivity = card(page, "Sensitivity");
    const slider = sensitivity.getByRole("slider", { name: "Factor of the super weights" });
    await slider.focus();
    await expect(slider).toHaveAttribute("aria-valuetext", /^× 1\.00: perplexity 1\.\d+/);
    await slider.press("ArrowRight");
    await expect(slider).toHaveAttribute("aria-valuetext", /^× 1\.05 is not scored; × 1\.00 gives/);
    await slider.press("Shift+ArrowRight");
    await expect(slider).toHaveAttribute("aria-valuenow", "1.55");
    await slider.press("Enter");
    await expect(slider).toHaveAttribute("aria-valuetext", /^× 1\.55: perplexity/, { timeout: RUN_MS });
    await idle(page);
    await expect(sensitivity.locator(".scatterlayer .point")).toHaveCount(12);
  });

  test("what was kept is there after a reload", async () => {
    await page.reload();
    await expect(page.getByRole("grid", { name: "Ablations" })).toContainText("super weights pruned");
    await expect(card(page, "Sensitivity").locator(".scatterlayer .point")).toHaveCount(12);
    await expect(page.getByRole("main")).toContainText(`Evaluated on eval.jsonl, ${TOKENS} of 21,061 tokens`);
  });

  test("charts are saved as pictures and values as data, and a report of all as one file", async () => {
    const sensitivity = card(page, "Sensitivity");
    const save = (what: string): Promise<Download> =>
      downloaded(page, () => sensitivity.getByRole("button", { name: `Save the ${what}` }).press("Enter"));
    const csv = await save("values as CSV");
    expect(csv.suggestedFilename()).toMatch(/sensitivity-perplexity\.csv$/);
    const lines = (await text(csv)).trim().split("\r\n");
    expect(lines[0]).toMatch(/^Factor,Perplexity,KL,/);
    expect(lines).toHaveLength(1 + 1 + 12);
    expect(Number(lines.find((line) => line.startsWith("× 0,"))?.split(",")[1])).toBeGreaterThan(1e6);

    const png = await readFile(await (await save("chart as PNG")).path());
    expect(png.subarray(0, 8).toString("hex")).toBe(PNG_SIGNATURE);
    expect(png.readUInt32BE(16)).toBe(1600);
    expect(png.length).toBeGreaterThan(10_000);

    const svg = await text(await save("chart as SVG"));
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain("factor of the super weights");

    const json = JSON.parse(await text(await save("report as JSON"))) as {
      request: { experiment: string };
      report: { points: unknown[] };
    };
    expect(json.request.experiment).toBe("sensitivity");
    expect(json.report.points).toHaveLength(12);

    const report = await downloaded(page, () =>
      page.getByRole("button", { name: "Report", exact: true }).click(),
    );
    expect(report.suggestedFilename()).toMatch(/\.html$/);
    const html = await text(report);
    expect(html).toContain("Importance");
    expect(html).toContain("Sensitivity");
  });

  test("the same report is saved as Markdown, by its button and from the palette", async () => {
    const byButton = await downloaded(page, () =>
      page.getByRole("button", { name: "Report as Markdown" }).press("Enter"),
    );
    const byPalette = await downloaded(page, async () => {
      await page.keyboard.press("Control+k");
      await page.keyboard.type("report of the lab as Markdown");
      await page.keyboard.press("Enter");
    });
    for (const report of [byButton, byPalette]) {
      expect(report.suggestedFilename()).toMatch(/\.md$/);
      const markdown = await text(report);
      expect(markdown).toMatch(/^# /);
      expect(markdown).toContain("## Importance · Table 1 of the paper");
      expect(markdown).toContain("## Sensitivity · Figure 6 of the paper");
      expect(markdown).toMatch(/```sh\nkeystone lab importance /);
    }
  });

  test("an experiment has a view of its own, light and dark, wide and narrow", async () => {
    await card(page, "Sensitivity").getByRole("link", { name: "Sensitivity" }).click();
    await page.waitForURL(/#\/lab\/sensitivity$/);
    await expect(page.getByRole("grid", { name: /^Values: / })).toContainText("× 1.55");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page);
      await visit(page, "#/lab");
      await expectAccessible(page);
      await visit(page, "#/lab/sensitivity");
    }
    await page.setViewportSize({ width: 1100, height: 720 });
    const sideways = await page.evaluate<number>(
      "document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth",
    );
    expect(sideways).toBe(0);
    await page.setViewportSize({ width: 1440, height: 900 });
  });

  test("two models stand in one chart, A and B", async () => {
    await openModel(page, other);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("parameters in 6 layers");
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("other-model");
    await visit(page, "#/lab/importance");
    await expect(page.getByRole("button", { name: /^Run/ })).toBeEnabled();
    await page.keyboard.press("Control+Enter");
    await expect(page.getByRole("list", { name: "Results of this model" }).getByRole("listitem")).toHaveCount(
      1,
      {
        timeout: RUN_MS,
      },
    );
    await idle(page);
    await page
      .getByRole("list", { name: "Results of other models" })
      .getByRole("checkbox", { name: /^Compare: / })
      .check();
    const compared = page.getByRole("list", { name: "Compared" });
    await expect(compared.getByRole("listitem")).toHaveCount(2);
    await expect(page.getByRole("heading", { level: 1 })).toContainText(
      "Without its super weights perplexity goes",
    );
    const values = page.getByRole("grid", { name: /^Values: / });
    await expect(values).toContainText("A other-model");
    await expect(values).toContainText("B ");
    await expectAccessible(page);
    await page.reload();
    await expect(compared.getByRole("listitem")).toHaveCount(2);
  });

  test("deleting asks first and takes the result from the list", async () => {
    await visit(page, "#/lab/importance");
    const own = page.getByRole("list", { name: "Results of this model" });
    await own.getByRole("button", { name: /^Delete: / }).click();
    await expect(page.getByRole("button", { name: "Keep it" })).toBeFocused();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(own.getByRole("listitem")).toHaveCount(0);
    await expect(page.getByRole("main")).toContainText("Not run on this model yet");
  });
});

function card(page: Page, title: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("region", { name: title, exact: true });
}

/** Waits until nothing runs any more. */
async function idle(page: Page): Promise<void> {
  await expect(page.getByRole("contentinfo")).toContainText("Nothing is running", { timeout: RUN_MS });
}

async function downloaded(page: Page, press: () => Promise<void>): Promise<Download> {
  const [download] = await Promise.all([page.waitForEvent("download"), press()]);
  return download;
}

async function text(download: Download): Promise<string> {
  return readFile(await download.path(), "utf8");
}

/** A copy of a checkpoint that is another model: its norms add more to what they divide by. */
async function changedCopy(model: string, folder: string): Promise<string> {
  await cp(model, folder, { recursive: true });
  for (const name of ["eval.jsonl", "calibration.jsonl"])
    await cp(join(model, "..", name), join(folder, name));
  const path = join(folder, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as { rms_norm_eps: number };
  await writeFile(path, JSON.stringify({ ...config, rms_norm_eps: config.rms_norm_eps * 100 }));
  return folder;
}
