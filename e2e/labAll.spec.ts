import { expect, type Page } from "@playwright/test";
import { experimentName } from "../src/shared/lab/index.ts";
import { EXPERIMENTS } from "../src/shared/lab/index.ts";
import { test } from "./support/quietTest.ts";
import { openModel, visit } from "./support/steps.ts";
import { startServed } from "./support/served.ts";

const RUN_MS = 120_000;

/** The smallest that each experiment can be asked for; importance asks nothing. */
const ASKED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Sensitivity: { Factors: "0, 1" },
  "Super activations": { Prompts: "2" },
  "Token probabilities": { Prompts: "4" },
  "Block scaling": { Granularities: "tensor, channel", Thresholds: "5" },
  Activations: { "SmoothQuant α": "0.5" },
  "Threshold search": { "At most": "2" },
};

/** Every experiment of the lab from the window, in a studio of its own. */
test.describe.serial("all experiments of the lab", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;

  test.beforeAll(async ({ browser }) => {
    served = await startServed();
    const context = await browser.newContext({ reducedMotion: "reduce" });
    page = await context.newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("run one after the other with one press and are kept, each with its finding and its chart", async () => {
    test.setTimeout(RUN_MS + 30_000);
    await visit(page, "#/lab");
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByRole("textbox", { name: "Tokens" }).fill("128");
    await page.getByRole("textbox", { name: "Context" }).fill("64");
    await page.getByRole("button", { name: "Done" }).click();
    for (const [title, fields] of Object.entries(ASKED)) {
      await card(title).getByRole("button", { name: "Options" }).click();
      for (const [field, value] of Object.entries(fields))
        await card(title).getByRole("textbox", { name: field, exact: true }).fill(value);
      await card(title).getByRole("button", { name: "Options" }).click();
    }

    await page.getByRole("button", { name: "Run all" }).click();
    await expect(page.getByRole("button", { name: /^Run again: / })).toHaveCount(7, { timeout: RUN_MS });
    await expect(page.getByRole("contentinfo")).toContainText("Nothing is running", { timeout: RUN_MS });
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("7 kept");
    await expect(page.getByRole("main").getByRole("alert")).toHaveCount(0);
    await expect(page.getByRole("grid", { name: "Ablations" })).toContainText("super weights pruned");
    for (const title of Object.keys(ASKED)) {
      await expect(card(title).getByRole("heading", { level: 3 })).toContainText(/\d/);
      await expect(card(title).locator(MARKS).first()).toBeAttached();
    }
  });

  for (const name of experimentName.options) {
    test(`${EXPERIMENTS[name].title}: the kept result has every chart drawn, and numbers in its table`, async () => {
      await visit(page, `#/lab/${name}`);
      await expect(
        page.getByRole("list", { name: "Results of this model" }).getByRole("listitem"),
      ).toHaveCount(1);
      const values = page.getByRole("grid", { name: /^Values: / });
      await expect(values).toContainText(/\d\.\d/);
      await expect(values).not.toContainText(/NaN|undefined/);
      const charts = card(EXPERIMENTS[name].title).locator("figure.chart-box");
      await expect(charts.first()).toBeVisible();
      for (const chart of await charts.all()) await expect(chart.locator(MARKS).first()).toBeAttached();
    });
  }

  function card(title: string): ReturnType<Page["getByRole"]> {
    return page.getByRole("region", { name: title, exact: true });
  }
});

/** What Plotly draws for a value. */
const MARKS = ".scatterlayer .trace path, .barlayer path";
