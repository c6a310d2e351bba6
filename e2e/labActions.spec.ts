import { expect, type Page } from "@playwright/test";
import { test } from "./support/quietTest.ts";
import { openModel, pastePlan, PLAN, visit } from "./support/steps.ts";
import { startServed } from "./support/served.ts";

const RUN_MS = 60_000;
const TOKENS = "384";

/** What is done with an experiment beside running it: cancelled under way, and its recipe carried on. */
test.describe.serial("an experiment of the lab", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;

  test.beforeAll(async ({ browser }) => {
    // A studio of its own: what others keep in the Lab would be counted too.
    served = await startServed();
    const context = await browser.newContext({
      reducedMotion: "reduce",
      permissions: ["clipboard-read", "clipboard-write"],
    });
    page = await context.newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
    await visit(page, "#/lab");
    await setTokens(TOKENS);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("that is cancelled while it runs keeps the rows it had, marked, beside what was kept before", async () => {
    const sensitivity = card("Sensitivity");
    await sensitivity.getByRole("button", { name: "Options" }).click();
    await sensitivity.getByRole("textbox", { name: "Factors" }).fill("0, 1");
    await sensitivity.getByRole("button", { name: "Run: Sensitivity" }).click();
    const finding = sensitivity.getByRole("heading", { level: 3 });
    await expect(finding).toContainText("× 0 takes perplexity to", { timeout: RUN_MS });
    await idle();
    await sensitivity.getByRole("button", { name: "Defaults" }).click();
    await setTokens("");

    await sensitivity.getByRole("button", { name: "Run again: Sensitivity" }).click();
    await expect(finding).toContainText(/^[1-9] of 11 factors scored/, { timeout: RUN_MS });
    await sensitivity.getByRole("button", { name: "Cancel Sensitivity" }).click();
    await expect(sensitivity.getByRole("button", { name: "Run again: Sensitivity" })).toBeEnabled();
    await idle();
    await expect(finding).toContainText(/^Stopped after [1-9]\d? of 11 factors/);
    await expect(sensitivity.getByRole("alert")).toHaveCount(0);
    await expect(screens()).toContainText("2 kept");
    await page.reload();
    await expect(finding).toContainText(/^Stopped after [1-9]\d? of 11 factors/);
    await expect(sensitivity).toContainText("2 kept results");
  });

  test("gives its recipe to the clipboard, and to a sweep beside plain rounding", async () => {
    await pastePlan(page, PLAN);
    await visit(page, "#/lab");
    await setTokens(TOKENS);
    const search = card("Threshold search");
    await search.getByRole("button", { name: "Options" }).click();
    await search.getByRole("textbox", { name: "At most" }).fill("3");
    await search.getByRole("button", { name: "Run: Threshold search" }).click();
    await search.getByRole("button", { name: "Copy recipe" }).click({ timeout: RUN_MS });
    await expect(search.getByRole("button", { name: "Copied" })).toBeVisible();
    const recipe = JSON.parse(await clipboard()) as Record<string, unknown>;
    expect(recipe).toMatchObject({ scheme: "affine", restore: [[1, 137, 401]], granularity: "tensor" });

    await search.getByRole("button", { name: "Use in a sweep" }).click();
    await page.waitForURL(/#\/sweep$/);
    const receipt = page.getByRole("complementary", { name: "This sweep" });
    await expect(receipt).toContainText("2 variants");
    await page.getByRole("button", { name: "Copy plan" }).click();
    await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
    const plan = JSON.parse(await clipboard()) as { recipes: Record<string, unknown>[] };
    expect(plan.recipes[1]).toMatchObject(recipe);
    expect(plan.recipes[0]).toEqual({
      scheme: "affine",
      bits: recipe["bits"],
      symmetric: false,
      granularity: "tensor",
    });
    await expect(page.getByRole("button", { name: "Start sweep" })).toBeEnabled();
    await page.getByRole("button", { name: "Restore it" }).click();
    await expect(receipt).toContainText("24 variants");
  });

  function card(title: string): ReturnType<Page["getByRole"]> {
    return page.getByRole("region", { name: title, exact: true });
  }

  function screens(): ReturnType<Page["getByRole"]> {
    return page.getByRole("navigation", { name: "Screens" });
  }

  async function setTokens(tokens: string): Promise<void> {
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByRole("textbox", { name: "Tokens" }).fill(tokens);
    await page.getByRole("button", { name: "Done" }).click();
  }

  async function idle(): Promise<void> {
    await expect(page.getByRole("contentinfo")).toContainText("Nothing is running", { timeout: RUN_MS });
  }

  async function clipboard(): Promise<string> {
    return page.evaluate<string>("navigator.clipboard.readText()");
  }
});
