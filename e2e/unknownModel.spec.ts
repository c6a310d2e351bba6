import { expect } from "@playwright/test";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { expectAccessible, openModel } from "./support/steps.ts";

test("a model type that nobody knows is named, and what it predicts as the family of its tensors is said", async ({
  browser,
}) => {
  const served = await startServed();
  const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  const strange = join(served.folder, "strange");
  cpSync(served.demoModel, strange, { recursive: true });
  const path = join(strange, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...config, model_type: "own", architectures: ["OwnModel"] }));

  await page.goto(served.url);
  await openModel(page, strange);
  await expect(page.getByText("This checkpoint can be inspected, not run.")).toBeVisible();
  await expect(page.getByText(/"own"/).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Try as llama" }).click();
  // the demo model knows its own stories alone, and plain English is none of them
  await expect(page.getByText("It predicts nothing.", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/Computed as llama, the perplexity of 128 tokens is/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Try as llama" })).toHaveCount(0);

  await page.context().close();
  await served.close();
});
