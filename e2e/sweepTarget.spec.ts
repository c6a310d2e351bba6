import { expect, type Page } from "@playwright/test";
import { readdirSync, readFileSync } from "node:fs";
import { expectAccessible, openModel, pastePlan, scored, startSweep, visit } from "./support/steps.ts";
import { test } from "./support/served.ts";

/** Sweeps one recipe for a format until it is scored. Returns the run. */
async function sweepOf(page: Page, model: string, recipe: object, target: string): Promise<string> {
  await openModel(page, model);
  await pastePlan(page, { recipes: [recipe], judge: { tokens: 800 }, target });
  const run = await startSweep(page);
  await expect.poll(() => scored(page), { timeout: 120_000 }).toBe(1);
  return run;
}

test("a plan for a format that cannot hold its recipes is told so before it starts", async ({
  keystone: page,
  served,
}) => {
  await openModel(page, served.demoModel);
  await visit(page, "#/sweep");
  const start = page.getByRole("button", { name: /^Start sweep/ });
  await expect(start).toBeEnabled();
  const target = page.getByRole("group", { name: "Export target" });
  await target.getByRole("button", { name: "gguf" }).click();
  await expect(page.getByRole("alert").first()).toContainText(/GGUF/);
  await expect(start).toBeDisabled();
  await target.getByRole("button", { name: "Any", exact: true }).click();
  await expect(start).toBeEnabled();
  await expectAccessible(page);
});

test("each format says what it makes of a variant; the one that holds it is written, packed and verified", async ({
  keystone: page,
  served,
}) => {
  const recipe = { scheme: "q4_0", bits: 4, granularity: "group:32", restore: "super-weights" };
  const run = await sweepOf(page, served.demoModel, recipe, "gguf");
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Report as Markdown" }).click();
  const report = readFileSync(await (await saved).path(), "utf8");
  expect(report).toMatch(/keystone sweep /);
  expect(report).toContain("q4\\_0");
  await visit(page, `#/export/${run}`);

  await expect(page.getByRole("region", { name: /^Safetensors/ })).toContainText("Exact");
  const awq = page.getByRole("region", { name: /AWQ/ });
  await expect(awq.getByRole("button", { name: "Choose" })).toHaveCount(0);
  await expect(awq).toContainText(/q4_0/);
  const gguf = page.getByRole("region", { name: /GGUF/ });
  await expect(gguf).toContainText("Per tensor");
  // The format whose own scheme the variant has is proposed.
  await expect(gguf.getByRole("button", { name: "Chosen" })).toBeVisible();
  await page
    .getByRole("group", { name: "Tensors that hold a super weight" })
    .getByRole("button", { name: "8 bits" })
    .click();
  await expect(gguf).toContainText("tensors with super weights stay in 8 bits");
  await expectAccessible(page);

  await page.getByLabel("New folder").fill("packed");
  const start = page.getByRole("button", { name: "Export", exact: true });
  await expect(start).toBeEnabled();
  await start.click();
  await expect(page.getByText("Verified", { exact: true })).toBeVisible({ timeout: 120_000 });
  // the format changed the recipe: what was judged is not the variant as the run scored it
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toContainText(
    "as evaluated in the form that this format stores; the variant itself scored",
  );
  await expect(heading).not.toContainText("as the variant was evaluated");
  await expect(
    page.getByText("The file was not run in llama.cpp: node-llama-cpp is not installed."),
  ).toBeVisible();
  await expect(page.getByText(/gets 8 bits, because this format cannot store/).first()).toBeVisible();
  await expect(page.getByText(/^llama-server -m /)).toBeVisible();
  expect(readdirSync(`${served.folder}/packed`).some((name) => name.endsWith(".gguf"))).toBe(true);
  await page.getByRole("button", { name: "Open the export" }).click();
  await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("packed");
  // A folder with a GGUF file is a model that is there.
  await visit(page, "#/home");
  const models = page.getByRole("grid", { name: "Recent models" });
  await expect(models.getByRole("row").filter({ hasText: "packed" })).toContainText(/Q4_0/i);
  await expect(models.getByRole("button", { name: "Diff with packed" })).toBeVisible();
  await expect(models).not.toContainText("Not found");
});

test("a variant leaves as compressed-tensors with its super weight's module whole, and opens again as a packed model", async ({
  keystone: page,
  served,
}) => {
  const scheme = { scheme: "compressed-tensors", bits: 4, symmetric: true };
  const recipe = { ...scheme, granularity: "group:64", restore: "super-weights" };
  const run = await sweepOf(page, served.demoModel, recipe, "compressed-tensors");
  await visit(page, `#/export/${run}`);

  const gptq = page.getByRole("region", { name: /GPTQ/ });
  await expect(gptq).toContainText(/cannot store ct4 sym.*Use the scheme gptq/);
  await gptq.getByRole("button", { name: "Sweep for GPTQ" }).click();
  const receipt = page.getByRole("complementary", { name: "This sweep" });
  await expect(receipt).toContainText("2 variants");
  await expect(page.getByRole("button", { name: "gptq-int4 sym", exact: true })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await expect(
    page.getByRole("group", { name: "Export target" }).getByRole("button", { name: "gptq" }),
  ).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByRole("button", { name: /^Start sweep/ })).toBeEnabled();
  await page.goBack();
  const packed = page.getByRole("region", { name: "compressed-tensors", exact: true });
  await expect(packed).toContainText("tensors with super weights stay in full precision");
  await packed.getByRole("button", { name: /^Cho/ }).click();
  await page.getByLabel("New folder").fill("ct");
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await expect(page.getByText("Verified", { exact: true })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByText(/down_proj\.weight stays unquantized/).first()).toBeVisible();
  await expect(page.getByText(/^vllm serve /)).toBeVisible();
  await expectAccessible(page);

  const config = JSON.parse(readFileSync(`${served.folder}/ct/config.json`, "utf8")) as {
    quantization_config: { ignore: string[] };
  };
  expect(config.quantization_config.ignore).toEqual(["model.layers.1.mlp.down_proj", "lm_head"]);
  await page.getByRole("button", { name: "Open the export" }).click();
  await expect(page.getByRole("navigation", { name: "Screens" })).toContainText("ct");
  await expect(
    page.getByText(/already quantized \(compressed-tensors int4, group 64, symmetric\)/),
  ).toBeVisible();
  await page.getByText("layers.0.mlp.gate_proj").first().click();
  await expect(page.getByText(/compressed-tensors int4, group 64, symmetric, 4\.25/)).toBeVisible();
});

test("an ONNX decoder leaves with its super weight exact, and onnxruntime gives the number that was judged", async ({
  keystone: page,
  served,
}) => {
  const recipe = { scheme: "matmulnbits", bits: 4, granularity: "group:64", restore: "super-weights" };
  const run = await sweepOf(page, served.demoModel, recipe, "onnx");
  await visit(page, `#/export/${run}`);
  const onnx = page.getByRole("region", { name: /ONNX/ });
  await expect(onnx).toContainText("Exact");
  await onnx.getByRole("button", { name: /^Cho/ }).click();
  await page.getByLabel("New folder").fill("decoder");
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await expect(page.getByText("Verified", { exact: true })).toBeVisible({ timeout: 120_000 });
  const checks = page.getByRole("table", { name: "Verify after export" });
  const [judged, written] = await checks
    .getByRole("row", { name: /^Perplexity \d/ })
    .getByRole("cell")
    .allInnerTexts()
    .then((cells) => cells.slice(1));
  expect(Number(judged)).toBeGreaterThan(1);
  expect(written).toBe(judged);
  await expect(checks.getByRole("row", { name: /^Perplexity in onnxruntime 1\./ })).toContainText(
    judged ?? "",
  );
  await expectAccessible(page);
});
