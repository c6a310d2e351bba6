import { expect, type Page } from "@playwright/test";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { expectAccessible, openModel, pastePlan, startSweep } from "./support/steps.ts";

test.describe("the jobs", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;
  const dialog = () => page.getByRole("dialog", { name: "Jobs" });
  const names = async (): Promise<string[]> => {
    const titles = await dialog().getByRole("row").locator("td:nth-child(2)").allInnerTexts();
    return titles.map((title) => /\b(first|second|third|fourth)\b/.exec(title)?.[1] ?? title);
  };

  test.beforeAll(async ({ browser }) => {
    served = await startServed(join(import.meta.dirname, "support", "slowStudio.ts"), () => ({
      // No job ends by itself while the list is looked at.
      FAKE_STEP_MS: "2000",
    }));
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
    await openModel(page, served.demoModel);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("wait in a list that a person orders, pauses and cancels, with the mouse and with keys", async () => {
    const recipes = Array.from({ length: 64 }, (_, i) => ({
      scheme: "affine",
      bits: 2 + (i % 7),
      granularity: `flat:${64 * (i + 1)}`,
    }));
    for (const name of ["first", "second", "third", "fourth"]) {
      await pastePlan(page, { name, recipes, judge: { context: 192, tokens: 400 } });
      await startSweep(page);
    }
    await page.getByRole("button", { name: "and 3 more" }).click();
    await expect.poll(names).toEqual(["first", "second", "third", "fourth"]);
    await expect(dialog().getByRole("row").filter({ hasText: "second" })).toContainText("Queued");
    await expectAccessible(page);

    await dialog()
      .getByRole("button", { name: /^Move up: .*fourth/ })
      .click();
    await expect.poll(names).toEqual(["first", "second", "fourth", "third"]);
    await expect(dialog().getByRole("button", { name: /^Move up: .*second/ })).toBeDisabled();
    await dialog().getByRole("row").filter({ hasText: "third" }).locator("td:nth-child(2)").click();
    await page.keyboard.press("Alt+ArrowUp");
    await expect.poll(names).toEqual(["first", "second", "third", "fourth"]);
    await page.keyboard.press("Alt+ArrowUp");
    await expect.poll(names).toEqual(["first", "third", "second", "fourth"]);
    await dialog().getByRole("row").filter({ hasText: "second" }).locator("td:nth-child(2)").click();
    await page.keyboard.press("Delete");
    await expect.poll(names).toEqual(["first", "third", "fourth"]);

    // A paused job lets the next one run, and stays in sight.
    await dialog()
      .getByRole("button", { name: /^Pause: .*first/ })
      .click();
    await expect(dialog().getByRole("row").filter({ hasText: "first" })).toContainText("Paused");
    await expect.poll(names).toEqual(["third", "first", "fourth"]);
    await dialog()
      .getByRole("button", { name: /^Resume: .*first/ })
      .click();
    await expect.poll(names).toEqual(["third", "fourth", "first"]);
    for (const name of ["fourth", "first", "third"])
      await dialog()
        .getByRole("button", { name: new RegExp(`^Cancel: .*${name}`) })
        .click();
    await expect(dialog()).toContainText("No jobs.");
    await page.keyboard.press("Escape");
    await expect(dialog()).toHaveCount(0);
    await page.keyboard.press("Control+j");
    await expect(dialog()).toBeVisible();
  });
});
