import { expect, type Locator, type Page } from "@playwright/test";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { NOTHING } from "./support/searchServer.ts";
import { expectAccessible, openModel, visit } from "./support/steps.ts";

const SERVER = join(import.meta.dirname, "support", "searchServer.ts");
const VITAL = "What the model can't live without";
const WIDTHS = [1_100, 1_440, 2_560];

test.describe.serial("the super weights of a model that takes a while", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(SERVER);
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
    await visit(page, "#/super-weights");
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("before any search, a scan of the weights alone previews, and says that it is a preview", async () => {
    await page.getByRole("button", { name: "Scan the weights" }).click();
    const table = page.getByRole("grid", { name: "Strongest row and column of every layer's MLP" });
    await expect(table.getByRole("row").nth(1)).toContainText("1[137, 401]");
    await expect(page.getByText("This is a preview from the weights alone")).toBeVisible();
    await expectAccessible(page);
  });

  test("a press answers at once, before the studio does", async () => {
    await page.getByRole("button", { name: "Find super weights" }).click();
    await expect(heading(page)).toHaveText("Searching for super weights", { timeout: 300 });
    await expect(page.getByRole("group", { name: "Progress of the search" })).toContainText("Starting", {
      timeout: 300,
    });
  });

  test("layers come first, then candidate after candidate, the largest effect on top; phase and time left are said", async () => {
    const progress = page.getByRole("group", { name: "Progress of the search" });
    await expect(progress).toContainText(/layer \d+ of 30 · about \d+ s left/);
    await expect(page.getByText("Pass 1", { exact: true })).toBeVisible();
    await expect(progress).toContainText(/13 candidates, [1-5] measured/);
    await expect(progress).toContainText("measuring candidates");
    const table = page.getByRole("grid", { name: "Candidates so far" });
    await expect(table.getByRole("row").nth(1)).toContainText("[507, 200]");
    await expect(table.getByRole("row").nth(1)).toContainText("Not yet measured");
    await expect(progress).toContainText(/13 candidates, ([6-9]|1\d) measured/);
    await expect(table.getByRole("row").nth(1)).toContainText("[507, 1229]");
  });

  test("the answer is the heading; what the model needs and what is merely large are two lists", async () => {
    await expect(heading(page)).toHaveText(
      "2 super weights, and 6 weights that matter together: layer 11 [507, 1229] costs KL 3.26",
    );
    await expect(page.getByRole("main").locator("header")).toContainText("the null, is 0.00040");
    const vital = page.getByRole("grid", { name: VITAL }).getByRole("row");
    await expect(vital).toHaveCount(9);
    await expect(vital.nth(1)).toContainText("11[507, 1229]Super weight");
    await expect(vital.nth(1)).toContainText("0.00040");
    await expect(vital.nth(3)).toContainText("Only together");
    const large = page.getByRole("grid", { name: "Large, but not needed" }).getByRole("row");
    await expect(large).toHaveCount(8);
    await expect(large.filter({ hasText: "[507, 200]" })).toContainText("Cancels0.1270costs something");
    await expect(large.filter({ hasText: "[247, 678]" })).toContainText("safe to clip");
    await expect(large.filter({ hasText: "[17, 678]" })).toContainText("Later");
    await expect(large.filter({ hasText: "Large value" })).toHaveCount(2);
  });

  test("spokes stand under their column, pairs say what they are, published results keep their own measure", async () => {
    const columns = page.getByRole("region", { name: "Weights that share a column", exact: true });
    await expect(columns).toContainText("layer 4, column 300");
    await expect(columns.getByRole("row")).toHaveCount(8);
    const pairs = page.getByRole("region", { name: "Pairs", exact: true });
    await expect(pairs).toContainText("One masks the other");
    await expect(pairs).toContainText("They stand in for each other");
    const published = page.getByRole("region", { name: "Published results beside what was measured here" });
    await expect(published).toContainText("NLL, % more: 313.00 (row)");
    await expect(page.getByText("Open questions")).toBeVisible();
    await expect(page.getByText("without 8 weights")).toBeVisible();
  });

  test("keys move through the list and the chart, and the evidence follows", async () => {
    const table = page.getByRole("grid", { name: VITAL });
    await table.focus();
    await page.keyboard.press("ArrowDown");
    const why = page.getByRole("region", { name: "Why [507, 90]" });
    await expect(why).toContainText("BOS-prefixed: on “<s>”");
    await expect(why).toContainText("Without BOS: on “Apple”");
    await expect(why).toContainText("Norm gain of the channel 0.3100");
    await expect(why).toContainText("null 0.00040");
    await page.getByRole("slider", { name: /Evidence and effect/ }).focus();
    await page.keyboard.press("End");
    await expect(page.getByRole("region", { name: "Why [507, 1229]" })).toBeVisible();
  });

  for (const width of WIDTHS) {
    test(`nothing wraps, overlaps or is cut at ${width} pixels`, async ({ browserName }, info) => {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => lines(heading(page))).toBeLessThanOrEqual(2);
      for (const title of await page.locator("main .tile-h h2").all())
        expect(await lines(title), await title.innerText()).toBe(1);
      await expect.poll(() => cutTiles(page)).toEqual([]);
      await expect.poll(() => overlappingLabels(page)).toEqual([]);
      const row = page
        .getByRole("grid", { name: "Large, but not needed" })
        .getByRole("row")
        .filter({ hasText: "[507, 200]" });
      await expect(row.getByRole("gridcell").or(row.getByRole("cell")).first()).toHaveText("9");
      for (const theme of ["light", "dark"]) {
        await page.evaluate(`document.documentElement.dataset.theme = "${theme}"`);
        await expectAccessible(page);
        await info.attach(`${browserName}-${width}-${theme}`, {
          body: await page.screenshot(),
          contentType: "image/png",
        });
      }
      await page.evaluate(`document.documentElement.dataset.theme = "light"`);
    });
  }

  test("where there is no super weight, the largest activation and its place are said", async () => {
    await page.setViewportSize({ width: 1_440, height: 900 });
    await page.getByLabel("Prompt").fill(NOTHING);
    await page.getByRole("button", { name: "Search again" }).click();
    await expect(heading(page)).toHaveText("Searching for super weights", { timeout: 300 });
    await expect(page.getByRole("grid", { name: VITAL })).toHaveCount(0);
    await expect(heading(page)).toContainText(
      "No super weight: the largest effect of any candidate is KL 0.1270",
    );
    await expect(page.getByRole("region", { name: VITAL })).toContainText(
      "The largest activation is 24,520.0, in channel 507 behind layer 11, on the token “Apple”.",
    );
  });

  test("a number that no search takes is refused beside the field, with its range and its default", async () => {
    await page.getByText("More options").click();
    await page.getByLabel("Least share").fill("3");
    await expect(page.getByText(/Least share: a number from 0 to 2\. The default is/)).toBeVisible();
    await expect(page.getByRole("button", { name: "Search again" })).toBeDisabled();
    await page.getByLabel("Least share").fill("0.25");
    await expect(page.getByRole("button", { name: "Search again" })).toBeEnabled();
  });
});

function heading(page: Page): Locator {
  return page.getByRole("heading", { level: 1 });
}

/** How many lines of text an element holds. */
function lines(element: Locator): Promise<number> {
  return element.evaluate((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
  });
}

/** Tiles whose content is wider than they are, and subtitles that are cut. */
function cutTiles(page: Page): Promise<string[]> {
  return page
    .locator("main")
    .evaluate((main) =>
      [...main.querySelectorAll<HTMLElement>(".tile, .tile-h, .head .sub, .head h1")]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
        .map(({ className, innerText }) => `${className}: ${innerText.slice(0, 80)}`),
    );
}

/** Labels inside charts that touch each other or leave their chart. */
function overlappingLabels(page: Page): Promise<string[]> {
  return page.locator("main").evaluate((main) =>
    [...main.querySelectorAll(".plotly")].flatMap((chart) => {
      const edge = chart.getBoundingClientRect();
      const labels = [...chart.querySelectorAll(".annotation-text-g text, .annotation text")].map((node) => ({
        text: node.textContent ?? "",
        box: node.getBoundingClientRect(),
      }));
      return labels.flatMap(({ text, box }, i) => {
        if (box.width === 0) return [];
        if (box.left < edge.left - 1 || box.right > edge.right + 1) return [`cut: ${text}`];
        return labels
          .slice(i + 1)
          .filter(
            (other) =>
              other.box.width > 0 &&
              other.text !== text &&
              box.left < other.box.right - 1 &&
              other.box.left < box.right - 1 &&
              box.top < other.box.bottom - 3 &&
              other.box.top < box.bottom - 3,
          )
          .map((other) => `${text} | ${other.text}`);
      });
    }),
  );
}
