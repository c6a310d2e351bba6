import { expect, type Locator, type Page } from "@playwright/test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { ANSWER_MS, BARE, LOOK_MS, SLOW_CALLS } from "./support/slowStudio.ts";
import { openModel, visit } from "./support/steps.ts";
import { ask } from "./support/walk.ts";

test.describe.serial("the lab says what is true while experiments start, wait, run and are cancelled", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;
  let model: string;
  let bare: string;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "slowStudio.ts"), {
      [SLOW_CALLS]: "job:lab,lab:list",
    });
    model = join(served.folder, "texts", "model");
    bare = join(served.folder, BARE, "model");
    for (const folder of [model, bare]) cpSync(served.demoModel, folder, { recursive: true });
    mkdirSync(join(served.folder, "texts"), { recursive: true });
    const story = "Once upon a time there was a little cat. ";
    writeFileSync(join(served.folder, "texts", "eval.txt"), story.repeat(20));
    writeFileSync(join(served.folder, "texts", "other.txt"), story.repeat(40));
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("a model without a text says so once, and leads to one", async () => {
    await openModel(page, bare);
    await visit(page, "#/lab");
    const main = page.getByRole("main");
    await expect(main).toContainText("Experiments need a text to evaluate on");
    await expect(main.locator(".field-error")).toHaveCount(0);
    await expect(main.getByText("Choose the text that is scored.")).toHaveCount(0);
    await expect(main.getByRole("button", { name: "Choose a text…" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Run all" })).toBeDisabled();
  });

  test("tokens are those of the text at hand, and the text goes from the lab to the other screens and back", async () => {
    await openModel(page, model);
    await visit(page, "#/lab");
    const setup = page.getByRole("region", { name: "Evaluation settings" });
    await expect(setup).toContainText(/eval\.txt, all [\d,]+ tokens/);
    await expect(setup).not.toContainText("4,096");
    await setup.getByRole("button", { name: "Change" }).click();
    await setup.getByRole("region", { name: "Text", exact: true }).getByText("other.txt").click();
    await setup.getByRole("button", { name: "Done" }).click();
    await expect(setup).toContainText(/other\.txt, all [\d,]+ tokens/);

    await visit(page, "#/sweep");
    const steps = page.getByRole("navigation", { name: "Steps" });
    await expect(steps).toContainText(/other\.txt, all [\d,]+ tokens/);
    const tokens = /all ([\d,]+) tokens/.exec(await steps.innerText())?.[1] ?? "";
    await expect(page.getByRole("complementary", { name: "This sweep" })).toContainText(tokens);

    await visit(page, "#/super-weights");
    await expect(page.getByLabel("Effect on")).toHaveValue(join(served.folder, "texts", "other.txt"));
    await page.getByLabel("Effect on").selectOption({ label: "eval.txt" });
    await visit(page, "#/lab");
    await expect(setup).toContainText("eval.txt");
    await page.reload();
    await expect(setup).toContainText("eval.txt");
  });

  test("a press is answered at once, and what waits is queued", async () => {
    await page.getByRole("button", { name: "Run: Sensitivity" }).click();
    await expect(card(page, "Sensitivity")).toContainText("Starting", { timeout: ANSWER_MS });
    await expect(card(page, "Sensitivity").getByRole("button", { name: "Cancel Sensitivity" })).toBeVisible({
      timeout: ANSWER_MS,
    });
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("1 experiment left");
    await page.getByRole("button", { name: "Run: Importance" }).click();
    await expect(card(page, "Importance")).toContainText("Starting", { timeout: ANSWER_MS });
    await expect(card(page, "Importance")).toContainText("Queued");
    await expect(card(page, "Importance")).not.toContainText("Starting");
  });

  test("cancelling keeps the finished rows, marked", async () => {
    const sensitivity = card(page, "Sensitivity");
    await expect(sensitivity).toContainText(/[23] of 6 rows scored/);
    await page.getByRole("button", { name: "Cancel Importance" }).click();
    await sensitivity.getByRole("button", { name: "Cancel Sensitivity" }).click();
    await expect(sensitivity).toContainText(/Stopped after [2-5] of 6 rows/);
    await expect(sensitivity.getByText("Cancelled", { exact: true })).toBeVisible();
    expect(await sensitivity.locator(".scatterlayer .point").count()).toBeGreaterThanOrEqual(2);
    await expect(card(page, "Importance")).toContainText("Cancelled before anything was measured.");
    await expect(page.getByRole("heading", { level: 1 })).not.toContainText("No experiment has");
    await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("1 kept");
    await sensitivity.getByRole("link", { name: "Sensitivity" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText(/Stopped after [2-5] of 6 rows/);
    await expect(page.getByRole("list", { name: "Results of this model" })).toContainText("Cancelled");
  });

  test("the heading says nothing of what was tried before that is read", async () => {
    await visit(page, "#/lab");
    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).not.toContainText("No experiment has", {
      timeout: 1,
    });
    await expect(card(page, "Sensitivity")).toContainText("Stopped after");
  });

  test("what Run all asked for is started though the lab is left at once", async () => {
    const experiments = async (): Promise<number> =>
      (await ask(page, "job:list", {})).filter(({ kind }) => kind === "lab").length;
    const before = await experiments();
    await page.getByRole("button", { name: "Run all" }).click();
    await visit(page, "#/settings");
    await expect.poll(experiments, { timeout: 10 * LOOK_MS }).toBeGreaterThanOrEqual(before + 5);
  });
});

function card(page: Page, name: string): Locator {
  return page.getByRole("region", { name, exact: true });
}
