import { expect } from "@playwright/test";
import { cp } from "node:fs/promises";
import { basename, join } from "node:path";
import { expectAccessible, openModel, pastePlan, startSweep } from "./support/steps.ts";
import { test } from "./support/served.ts";

const PLAN = {
  recipes: [{ scheme: "int", bits: 4, granularity: "group:64" }],
  judge: { context: 192, tokens: 256 },
};

test("a checkpoint is set beside the original: a copy of the model predicts what it does", async ({
  keystone: page,
  served,
}) => {
  await cp(served.demoModel, join(served.folder, "again"), { recursive: true });
  await openModel(page, served.demoModel);
  await pastePlan(page, PLAN);
  await startSweep(page);
  const row = page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false });
  await expect(page.getByRole("region", { name: "Results" }).getByRole("status")).toContainText("1 of 1", {
    timeout: 90_000,
  });
  await row.first().click();
  await page.getByRole("button", { name: /^Compare 1/ }).click();

  await page.getByRole("button", { name: "Add a checkpoint…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(basename(served.folder), { exact: true }).dblclick();
  await dialog.getByText("again", { exact: true }).dblclick();
  const table = page.getByRole("table", { name: "Other checkpoints" });
  await expect(table.getByRole("row", { name: /^again/ })).toContainText("100.0%", { timeout: 90_000 });
  await expect(table.getByRole("row")).toHaveCount(3);
  await expect(table.getByRole("row", { name: /^again/ })).toContainText("exact");
  const perplexity = (name: RegExp) => table.getByRole("row", { name }).getByRole("cell").nth(4).innerText();
  expect(await perplexity(/^again/)).toBe(await perplexity(/^Original/));
  await expectAccessible(page);
});
