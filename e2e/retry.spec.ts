import { expect, type Page } from "@playwright/test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CURE_FILE } from "./support/mortalServer.ts";
import { DEADLY_BITS } from "./support/mortalWorker.ts";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { openModel, pastePlan, scored, startSweep } from "./support/steps.ts";

const SWEEP_MS = 150_000;
/** Every bit width twice but the deadly one: six variants of which one kills the worker that takes it. */
const RECIPES = [
  { scheme: "affine", bits: DEADLY_BITS, granularity: "group:64" },
  ...[3, 4].flatMap((bits) =>
    ["group:64", "flat:4096"].map((granularity) => ({ scheme: "affine", bits, granularity })),
  ),
  { scheme: "affine", bits: 8, granularity: "group:64" },
];
const judge = { context: 192, tokens: 768 };

test.describe.serial("a sweep that loses a worker", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "mortalServer.ts"));
    page = await browser.newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
  });
  test.afterAll(async () => {
    await page.close();
    await served.close();
  });

  test("a variant whose workers die is a row with its reason on top; the sweep goes on, and a retry scores it", async () => {
    await pastePlan(page, { name: "One is deadly", recipes: RECIPES, judge });
    // No plain grid, so it is shown as JSON; how it is judged is in the form all the same.
    await expect(page.getByRole("textbox", { name: "Tokens" })).toHaveValue(String(judge.tokens));
    await startSweep(page);
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(RECIPES.length - 1);
    const first = page.getByRole("grid", { name: "Results" }).getByRole("row").nth(1);
    await expect(first).toContainText("Two workers ended while they scored this variant");
    const retry = first.getByRole("button", { name: "Retry" });
    await expect(retry).toBeVisible();
    await expect(page.getByRole("contentinfo", { name: "Status" })).toContainText("Nothing is running");
    await expect(page.getByRole("main")).toContainText("1 failed");

    writeFileSync(join(served.folder, CURE_FILE), "");
    await retry.click();
    await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(RECIPES.length);
    await expect(page.getByRole("grid", { name: "Results" })).not.toContainText("Two workers ended");
    await expect(page.getByRole("main")).not.toContainText("1 failed");
  });
});

test.describe("a sweep that takes a while", () => {
  test("a window reloaded while variants run catches up to the end, and the status bar counts what the screen counts", async ({
    page,
  }) => {
    const served = await startServed(join(import.meta.dirname, "support", "slowStudio.ts"), {
      FAKE_STEP_MS: "400",
    });
    try {
      await page.goto(served.url);
      await openModel(page, served.demoModel);
      await pastePlan(page, {
        name: "Reloaded",
        base: { scheme: "affine" },
        grid: {
          bits: [3, 4, 5],
          granularity: ["group:64", "flat:4096", "flat:16384"],
          range: [null, { method: "zscore", threshold: 3 }],
          restore: ["none", { largest: 1 }],
        },
        judge,
      });
      await startSweep(page);
      await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBeGreaterThan(0);
      const before = await scored(page);
      await page.reload();
      await expect.poll(() => scored(page)).toBeGreaterThanOrEqual(before);
      expect(await scored(page), "the sweep still runs after the reload").toBeLessThan(36);
      await expect(page.getByRole("contentinfo", { name: "Status" })).toContainText(/ \d+ \/ 36 scored/);
      await expect.poll(() => scored(page), { timeout: SWEEP_MS }).toBe(36);
      await expect(page.getByRole("contentinfo", { name: "Status" })).toContainText("Nothing is running");
      await expect(page.getByRole("heading", { level: 1 })).toContainText(
        /reaches \d+\.\d+ at \d\.\d\d bits/,
      );
    } finally {
      await page.close();
      await served.close();
    }
  });
});
