import { expect, type Page } from "@playwright/test";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { ANSWER_MS, LOOK_MS, SLOW_CALLS } from "./support/slowStudio.ts";
import { openModel, pastePlan, scored, startSweep, visit } from "./support/steps.ts";
import { ask } from "./support/walk.ts";

const judge = { context: 192, tokens: 400 };

test.describe.serial("export leads on from a variant that no packed format stores", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "slowStudio.ts"), {
      [SLOW_CALLS]: "job:sweep,folder:list,run:get",
    });
    cpSync(dirname(served.demoModel), join(served.folder, "own"), { recursive: true });
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
    await openModel(page, join(served.folder, "own", "model"));
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("a press on start is answered at once, and variants of the same weights are scored once", async () => {
    const range = [null, { method: "zscore", threshold: 9 }];
    await pastePlan(page, {
      base: { scheme: "affine", bits: 4 },
      grid: { granularity: ["group:64"], range },
      judge,
    });
    const receipt = page.getByRole("complementary", { name: "This sweep" });
    await expect(receipt).toContainText("1 variant to score, 1 the same");
    const start = page.getByRole("button", { name: /Start/ });
    await start.click();
    await expect(page.getByRole("button", { name: "Starting…" })).toBeVisible({ timeout: ANSWER_MS });
    await page.waitForURL(/#\/run\//);
    await expect.poll(() => scored(page)).toBe(2);
    const twin = page.getByRole("grid", { name: "Results" }).getByRole("row").filter({ hasText: "z 9" });
    await expect(twin).toContainText("Same weights as affine4, group 64");
  });

  test("nothing is proposed but the nearest recipe, which one press evaluates, sets beside and lets export", async () => {
    await pastePlan(page, { recipes: [{ scheme: "affine", bits: 4, granularity: "flat:16384" }], judge });
    const run = await startSweep(page);
    await expect.poll(() => scored(page)).toBe(1);
    await visit(page, `#/export/${run}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(
      "No packed format can store this variant exactly",
    );
    await expect(page.getByRole("button", { name: "Chosen" })).toHaveCount(0);
    await expect(page.getByRole("region", { name: "Requirements" })).toContainText("Choose a format.");
    await expect(page.getByRole("button", { name: "Export", exact: true })).toBeDisabled();
    const gguf = page.getByRole("region", { name: /^GGUF/ });
    await expect(gguf).toContainText("Nearest here: q4_0, group 32");
    await expect(gguf.getByRole("button", { name: /^Evaluate it now \(/ })).toBeVisible();
    await gguf.getByRole("button", { name: /^Evaluate it now/ }).click();
    await expect(gguf).toContainText("Starting", { timeout: ANSWER_MS });

    const beside = page.getByRole("table", { name: "Requested and stored" });
    await expect(beside).toContainText("affine4, flat 16,384");
    await expect(beside).toContainText("q4_0, group 32");
    await expect(gguf.getByRole("button", { name: "Chosen" })).toBeVisible();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Choose a format and a folder");
    await expect(page).not.toHaveURL(new RegExp(`export/${run}`));
    await page.getByRole("link", { name: "Back to the requested variant" }).click();
    await expect(page).toHaveURL(new RegExp(`export/${run}`));
    await expect(beside).toHaveCount(0);
  });

  test("a screen that is left while a recipe is evaluated stays left, without a complaint", async () => {
    await pastePlan(page, { recipes: [{ scheme: "affine", bits: 3, granularity: "flat:16384" }], judge });
    const run = await startSweep(page);
    await expect.poll(() => scored(page)).toBe(1);
    await visit(page, `#/export/${run}`);
    await page
      .getByRole("region", { name: /^GGUF/ })
      .getByRole("button", { name: /^Evaluate it now/ })
      .click();
    await visit(page, "#/settings");
    const runs = (): Promise<string[]> =>
      ask(page, "run:list", {}).then((all) => all.map(({ status }) => status));
    await expect.poll(runs).toEqual(Array<string>(4).fill("done"));
    // The answer with the run takes as long once more.
    await page.waitForTimeout(LOOK_MS + 500);
    await expect(page).toHaveURL(/#\/settings/);
  });

  test("the folder picker says that it reads", async () => {
    await visit(page, "#/home");
    await page.getByRole("button", { name: "Choose folder" }).click();
    const picker = page.getByRole("dialog");
    await expect(picker.getByRole("status")).toContainText("Reading the folders…", { timeout: ANSWER_MS });
    await expect(picker.getByRole("status")).toHaveCount(0);
    await picker.getByRole("button", { name: "Cancel" }).click();
  });

  test("the receipt answers what is chosen now, and formats cross only with blocks they have", async () => {
    await pastePlan(page, { recipes: [{ scheme: "affine", bits: 4, granularity: "group:32" }], judge });
    const steps = page.getByRole("navigation", { name: "Steps" });
    const receipt = page.getByRole("complementary", { name: "This sweep" });
    await expect(page.getByRole("button", { name: "Start sweep" })).toBeEnabled();
    await page.getByRole("button", { name: "q4_0", exact: true }).click();
    await page.getByRole("button", { name: "4", exact: true }).first().click();
    await steps.getByRole("button", { name: /Granularity/ }).click();
    await expect(page.getByRole("button", { name: "64", exact: true }).first()).toBeDisabled();
    await expect(receipt).toContainText("1 variant");
    // Without its one block there is nothing to estimate, and nothing is said of the machine.
    await page.getByRole("button", { name: "32", exact: true }).first().click();
    await expect(receipt).toContainText("0 variants");
    await expect(receipt).not.toContainText("0 threads");
    await expect(receipt).not.toContainText("available");
    await expect(page.getByRole("button", { name: "Start sweep" })).toBeDisabled();

    // A block that does not fit is an error of the plan that has it, and of no other.
    await steps.getByRole("button", { name: /Scheme/ }).click();
    await page.getByRole("button", { name: "q4_0", exact: true }).click();
    await page.getByRole("button", { name: "4", exact: true }).first().click();
    await steps.getByRole("button", { name: /Granularity/ }).click();
    await page.getByRole("textbox", { name: "Another granularity" }).fill("group:96");
    await page.getByRole("button", { name: "Add" }).click();
    await expect(receipt.getByRole("alert")).toContainText("96");
    await page.getByRole("button", { name: "96", exact: true }).click();
    await page.getByRole("button", { name: "32", exact: true }).first().click();
    await expect(receipt.getByRole("alert")).toHaveCount(0, { timeout: ANSWER_MS });
    await expect(page.getByRole("button", { name: "Start sweep" })).toBeEnabled();
  });
});
