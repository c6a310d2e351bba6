import { expect, type BrowserContext, type Page } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { test } from "./support/quietTest.ts";
import { expectAccessible } from "./support/steps.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SURFACE = { light: "rgb(250, 251, 252)", dark: "rgb(21, 23, 26)" };
/** How far a label may reach over its chart's edge, in pixels: the soft edge of a glyph. */
const EDGE = 1.5;

interface Opened {
  page: Page;
  /** Everything the page asked for but itself, and everything it complained about. */
  requests: string[];
  complaints: string[];
}

test.describe("a report, opened from a disk without a network", () => {
  const folder = mkdtempSync(join(tmpdir(), "keystone-report-"));
  const plain = join(folder, "report.html");
  const hostile = join(folder, "hostile.html");
  const contexts: BrowserContext[] = [];

  test.beforeAll(() => {
    write(plain);
    write(hostile, "hostile");
  });
  test.afterAll(async () => {
    for (const context of contexts) await context.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function write(...args: string[]): void {
    const packaged = join(ROOT, "node_modules", "node", "bin", "node");
    const node = existsSync(packaged) ? packaged : process.execPath;
    execFileSync(node, [
      "--disable-warning=ExperimentalWarning",
      join(ROOT, "e2e/support/writeReport.ts"),
      ...args,
    ]);
  }

  async function open(
    browser: { newContext(options: object): Promise<BrowserContext> },
    file: string,
    colorScheme: "light" | "dark",
  ): Promise<Opened> {
    const context = await browser.newContext({
      colorScheme,
      offline: true,
      viewport: { width: 1100, height: 900 },
    });
    contexts.push(context);
    const page = await context.newPage();
    const opened: Opened = { page, requests: [], complaints: [] };
    const address = pathToFileURL(file).href;
    page.on("request", (request) => {
      if (request.url() !== address && !request.url().startsWith("data:"))
        opened.requests.push(request.url());
    });
    page.on("console", (message) => opened.complaints.push(message.text()));
    page.on("pageerror", (error) => opened.complaints.push(String(error)));
    await page.goto(address);
    return opened;
  }

  /** Of each chart: whether it is drawn, its marks, and labels that reach over its edge. */
  async function charts(
    page: Page,
  ): Promise<{ id: string; svg: boolean; marks: number; clipped: string[] }[]> {
    return page.evaluate((edge) => {
      return [...document.querySelectorAll<HTMLElement>(".chart")].map((chart) => {
        const box = chart.getBoundingClientRect();
        const texts = [...chart.querySelectorAll(".annotation-text, .xtick text, .ytick text, .legendtext")];
        const clipped = texts.filter((text) => {
          const { left, right, top, bottom } = text.getBoundingClientRect();
          return (
            left < box.left - edge ||
            right > box.right + edge ||
            top < box.top - edge ||
            bottom > box.bottom + edge
          );
        });
        return {
          id: chart.closest("figure")?.id ?? "",
          svg: chart.querySelector("svg.main-svg") !== null,
          marks: chart.querySelectorAll(".scatterlayer .trace path, .barlayer path").length,
          clipped: clipped.map((text) => text.textContent ?? ""),
        };
      });
    }, EDGE);
  }

  for (const scheme of ["light", "dark"] as const) {
    test(`draws every chart in ${scheme} colours, asks for nothing and complains about nothing`, async ({
      browser,
    }) => {
      const { page, requests, complaints } = await open(browser, plain, scheme);
      const drawn = await charts(page);
      expect(drawn.length).toBeGreaterThan(20);
      for (const { id, svg, marks } of drawn)
        expect({ id, svg, drawn: marks > 0 }).toEqual({ id, svg: true, drawn: true });
      expect(drawn.filter(({ clipped }) => clipped.length > 0)).toEqual([]);
      await expect(page.locator("body")).toHaveCSS("background-color", SURFACE[scheme]);
      expect(
        await page
          .locator(".main-svg")
          .evaluateAll((all) => all.filter((svg) => svg.outerHTML.includes("token(")).length),
      ).toBe(0);
      await expectAccessible(page);
      expect({ requests, complaints }).toEqual({ requests: [], complaints: [] });
    });
  }

  test("follows the theme while it is open, and goes to paper in light colours", async ({ browser }) => {
    const { page, complaints } = await open(browser, plain, "light");
    const ink = (): Promise<string> =>
      page
        .locator("#lab-1-importance-perplexity .ytick text")
        .first()
        .evaluate((text) => getComputedStyle(text).fill);
    const light = await ink();
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(ink).not.toBe(light);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await expect(page.locator("body")).toHaveCSS("background-color", SURFACE.light);
    await expect.poll(ink).toBe(light);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await expect(page.locator("body")).toHaveCSS("background-color", SURFACE.dark);
    expect(complaints).toEqual([]);
  });

  test("says a point's exact values under the pointer, and all of them in its table", async ({ browser }) => {
    const { page } = await open(browser, plain, "light");
    const chart = page.locator("#lab-4-sensitivity-perplexity .chart");
    await chart.scrollIntoViewIfNeeded();
    // The layer that catches the pointer lies over the marks.
    await chart.locator(".scatterlayer .point").nth(1).hover({ force: true });
    await expect(chart.locator(".hoverlayer")).toContainText("× 0.5: perplexity 893.70");
    const figure = page.locator("#lab-3-token-probabilities-movers");
    await figure.getByText("Values").click();
    await expect(figure.getByRole("row").nth(1)).toBeVisible();
  });

  test("runs and loads nothing that a name in a file holds", async ({ browser }) => {
    const { page, requests, complaints } = await open(browser, hostile, "dark");
    const drawn = await charts(page);
    expect(drawn.every(({ svg, marks }) => svg && marks > 0)).toBe(true);
    expect(await page.evaluate(() => "pwned" in window)).toBe(false);
    expect(await page.locator("img, main a:not([href^='#']), svg a").count()).toBe(0);
    expect({ requests, complaints }).toEqual({ requests: [], complaints: [] });
  });
});
