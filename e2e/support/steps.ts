import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** 24 variants in which large blocks fail and restored super weights rescue them; little text, so that it ends soon. */
export const PLAN = {
  base: { scheme: "affine" },
  grid: {
    bits: [4, 3],
    granularity: ["group:64", "flat:4096", "flat:16384"],
    range: [null, { method: "zscore", threshold: 5 }],
    restore: ["none", "super-weights"],
  },
  judge: { context: 192, tokens: 768 },
};

/** Goes to a place of the window without loading it again. */
export async function visit(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** Opens a checkpoint by its address. */
export async function openModel(page: Page, path: string): Promise<void> {
  await visit(page, `#/overview?model=${encodeURIComponent(path)}`);
  await expect(page.getByRole("navigation", { name: "Screens" }).getByText("Sweep")).toBeVisible();
}

/** Loads a plan into the wizard by pasting it. */
export async function pastePlan(page: Page, plan: unknown): Promise<void> {
  await visit(page, "#/sweep");
  await page.getByRole("button", { name: "Load plan…" }).click();
  await page.getByLabel("Or paste a plan as JSON").fill(JSON.stringify(plan));
  await page.getByRole("button", { name: "Use pasted plan" }).click();
}

/** Starts what the wizard holds. @returns the run's id */
export async function startSweep(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Start sweep" }).click();
  await page.waitForURL(/#\/run\//);
  return decodeURIComponent(page.url().split("#/run/")[1] ?? "");
}

/** How many variants the results table counts as scored. */
export async function scored(page: Page): Promise<number> {
  const text = await page.getByRole("region", { name: "Results" }).getByRole("status").innerText();
  return Number(/^([\d,]+) of/.exec(text)?.[1]?.replaceAll(",", "") ?? NaN);
}

/** No serious or critical finding of axe in the whole window. @param rules those that are asked; default all */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules ? axe.withRules(rules) : axe).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(
    serious.map(
      ({ id, help, nodes }) =>
        `${id}: ${help} (${nodes
          .map((node) => node.html)
          .slice(0, 3)
          .join(" | ")})`,
    ),
  ).toEqual([]);
}
