import { expect, type Page } from "@playwright/test";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "./support/quietTest.ts";
import { startServed } from "./support/served.ts";
import { expectAccessible, openModel, visit } from "./support/steps.ts";

const SWEEP_MS = 150_000;

test.describe.serial("the first five minutes", () => {
  let page: Page;
  let served: Awaited<ReturnType<typeof startServed>>;
  const guide = () => page.getByRole("region", { name: "First steps" });
  const step = () => guide().locator("[aria-current=step]");

  test.beforeAll(async ({ browser }) => {
    served = await startServed(undefined, (folder) => ({ HF_HOME: join(folder, "hf"), HF_HUB_CACHE: "" }));
    plant(join(served.folder, "hf", "hub", "models--keystone--stories"), served.demoModel);
    page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await page.goto(served.url);
  });
  test.afterAll(async () => {
    await page.context().close();
    await served.close();
  });

  test("a first start shows three ways in and the steps, with what it finds on the computer", async () => {
    for (const way of ["From disk", "Demo model", "On this computer"])
      await expect(page.getByRole("region", { name: way })).toBeVisible();
    await expect(page.getByRole("region", { name: "From disk" })).toContainText("GGUF file");
    await expect(page.getByRole("list", { name: "Models on this computer" })).toContainText(
      "keystone/stories",
    );
    await expect(step()).toHaveText("Open a model");
    await expectAccessible(page);
  });

  test("the steps lead from the demo model to an exported, verified file", async () => {
    test.setTimeout(3 * SWEEP_MS);
    await guide().getByRole("button", { name: "Open the demo model" }).click();
    await expect(step()).toHaveText("Find super weights");
    await guide().getByRole("button", { name: "Go to the search" }).click();
    await page.getByRole("main").getByRole("button", { name: "Find super weights" }).first().click();
    await expect(step()).toHaveText("Small sweep", { timeout: SWEEP_MS });
    await guide().getByRole("button", { name: "Plan a small sweep" }).click();
    await expect(page.getByRole("complementary", { name: "This sweep" })).toContainText("8 variants");
    await page.getByRole("button", { name: "Start sweep" }).click();
    await expect(step()).toHaveText("Compare", { timeout: SWEEP_MS });
    await guide().getByRole("button", { name: "Compare the two best" }).click();
    await expect(page.getByRole("table", { name: "Comparison" })).toBeVisible();
    await expect(step()).toHaveText("Export");
    // What is done stays done when the window is loaded again.
    await page.reload();
    await expect(step()).toHaveText("Export");
    // Every scored variant is sized beside the original, for a machine that is chosen.
    await visit(page, "#/overview");
    const fit = page.locator("details").filter({ hasText: "Will it fit" });
    await expect(fit).toContainText("GPU, 8 GB, 192 tokens: Original: yes");
    await fit.locator("summary").click();
    const sizes = fit.getByRole("table", { name: "Will it fit" });
    await expect(sizes.getByRole("row")).toHaveCount(1 + 1 + 8);
    await fit.getByLabel("Machine").selectOption("Another…");
    await fit.getByLabel("Memory, GiB").fill("0.4");
    await fit.getByLabel("Memory, GiB").blur();
    await expect(fit.locator("summary")).toContainText("GPU, 0.4 GiB, 192 tokens: Original: no");
    await fit.getByRole("button", { name: "vLLM" }).click();
    await expect(fit).toContainText("vLLM may use 369 MiB");
    await expectAccessible(page);
    await guide().getByRole("button", { name: "Go to the export" }).click();
    await expect(page.locator("details").filter({ hasText: "Will it fit" })).toContainText("This export: no");
    await page.getByRole("main").getByRole("button", { name: "Export", exact: false }).last().click();
    await expect(guide()).toContainText("Exported and verified:", { timeout: SWEEP_MS });
    await expect(step()).toHaveCount(0);
    const out = /Exported and verified: (.*)$/.exec(await guide().getByRole("status").innerText())?.[1] ?? "";
    expect(existsSync(join(out, "config.json"))).toBe(true);
    const record: unknown = JSON.parse(readFileSync(join(out, "keystone.json"), "utf8"));
    expect(record).toMatchObject({ verified: {} });
    await expectAccessible(page);
  });

  test("the steps go when they are dismissed, stay away after a reload, and come back from the palette", async () => {
    await guide().getByRole("button", { name: "Close the first steps" }).click();
    await expect(guide()).toHaveCount(0);
    await page.reload();
    await openModel(page, served.demoModel);
    await expect(guide()).toHaveCount(0);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("first steps");
    await page.keyboard.press("Enter");
    await expect(guide()).toContainText("Exported and verified:");
  });

  test("a model that was found opens by one press, and is judged on the text that ships with the program", async ({
    browser,
  }) => {
    const other = await (await browser.newContext()).newPage();
    await other.goto(served.url);
    await other.getByRole("button", { name: "Open keystone/stories" }).click();
    await expect(other.getByRole("navigation", { name: "Screens" })).toContainText("57 tensors");
    // Nothing lies beside this copy: a sweep is judged on the text that ships with the program.
    await visit(other, "#/sweep");
    await other.getByRole("button", { name: /Evaluation/ }).click();
    const own = other
      .getByRole("region", { name: "Text" })
      .getByRole("radio", { name: /^Keystone’s own text/ });
    await expect(own).toBeChecked();
    await expect(other.getByRole("region", { name: "Text" })).toContainText(
      /Keystone’s own text.*14 documents, [\d,]+ tokens/s,
    );
    await visit(other, "#/lab");
    await expect(other.locator("main")).toContainText("keystone-own-text.jsonl");
    await other.context().close();
  });
});

/** A model as huggingface_hub lays it down: links in a snapshot to blobs. */
function plant(repository: string, model: string): void {
  const snapshot = join(repository, "snapshots", "0123abcd");
  for (const folder of [snapshot, join(repository, "blobs"), join(repository, "refs")])
    mkdirSync(folder, { recursive: true });
  for (const name of ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]) {
    cpSync(join(model, name), join(repository, "blobs", name));
    symlinkSync(join("..", "..", "blobs", name), join(snapshot, name));
  }
}
