import { expect } from "@playwright/test";
import { readFileSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expectAccessible, openModel, pastePlan, startSweep, visit } from "./support/steps.ts";
import { test } from "./support/served.ts";

const PLAN = {
  recipes: [{ scheme: "int", bits: 4, granularity: "group:64" }],
  judge: { context: 192, tokens: 256 },
};
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}[assistant]";

test("texts are written side by side in the model's chat template, and stay when they are cancelled", async ({
  keystone: page,
  served,
}) => {
  const model = join(served.folder, "chat");
  await cp(served.demoModel, model, { recursive: true });
  await cp(join(dirname(served.demoModel), "eval.jsonl"), join(model, "eval.jsonl"));
  const config = join(model, "tokenizer_config.json");
  const fields = JSON.parse(readFileSync(config, "utf8")) as object;
  writeFileSync(config, JSON.stringify({ ...fields, chat_template: TEMPLATE }));
  await openModel(page, model);
  await pastePlan(page, PLAN);
  await startSweep(page);
  await expect(page.getByRole("region", { name: "Results" }).getByRole("status")).toContainText("1 of 1", {
    timeout: 90_000,
  });
  await page.getByRole("grid", { name: "Results" }).getByRole("checkbox", { checked: false }).first().click();
  await page.getByRole("button", { name: /^Compare 1/ }).click();

  const texts = page.getByRole("region", { name: "Generated text" });
  await expect(texts.getByLabel("Chat template")).toHaveValue("default");
  await texts.getByLabel("Tokens").fill("160");
  await texts.getByRole("button", { name: "Generate" }).click();
  await expect(texts.getByText(/[1-9]\d* tokens? · writing…/)).toHaveCount(2, { timeout: 60_000 });
  await expect(texts.getByLabel("What the model read")).toHaveText("<s>[user] Once upon a time [assistant]");
  await texts.getByRole("button", { name: "Cancel" }).click();
  await expect(texts.getByText(/[1-9]\d* tokens? · cancelled, not finished/)).toHaveCount(2);
  await expect(texts.getByRole("button", { name: "Generate" })).toBeVisible();

  await texts.getByLabel("Chat template").selectOption({ label: "none" });
  await texts.getByLabel("Tokens").fill("4");
  await texts.getByRole("button", { name: "Generate" }).click();
  await expect(texts.getByText(/4 tokens · stopped at the limit · [\d.]+ tokens\/s/)).toHaveCount(2, {
    timeout: 60_000,
  });
  await expect(texts.getByText("The model read the prompt without a template")).toBeVisible();
  await expectAccessible(page);

  await texts.getByLabel("Chat template").selectOption({ label: "the model's" });
  await texts.getByRole("button", { name: "Chat", exact: true }).click();
  await texts.getByRole("textbox", { name: "Message", exact: true }).fill("Who was Pip?");
  await page.keyboard.press("Enter");
  const turn = (number: number) => texts.getByRole("group", { name: `Turn ${number}` });
  await expect(turn(1).getByText(/4 tokens · stopped at the limit · [\d.]+ tokens\/s/)).toHaveCount(2, {
    timeout: 60_000,
  });
  await texts.getByLabel("Tokens").fill("60");
  await texts.getByRole("textbox", { name: "Message", exact: true }).fill("Why?");
  await texts.getByRole("button", { name: "Send" }).click();
  await expect(turn(2).getByText(/[1-9]\d* tokens? · writing…/)).toHaveCount(2, { timeout: 60_000 });
  await texts.getByRole("button", { name: "Stop" }).click();
  await expect(turn(2).getByText(/cancelled, not finished/)).toHaveCount(2);
  // Each goes on from its own answer: what was read holds it.
  await texts.getByText("Last input of each").click();
  await expect(texts.getByLabel("What Original read")).toContainText(
    /^<s>\[user\] Who was Pip\? \[assistant\] .* \[user\] Why\? \[assistant\]$/,
  );
  await texts.getByLabel("Tokens").fill("3");
  await turn(2).getByRole("button", { name: "Retry" }).click();
  await expect(turn(2).getByText(/3 tokens · stopped at the limit/)).toHaveCount(2, { timeout: 60_000 });
  await expectAccessible(page);
  await turn(1).getByRole("button", { name: "Edit" }).click();
  await expect(turn(1)).toHaveCount(0);
  await expect(texts.getByRole("textbox", { name: "Message", exact: true })).toHaveValue("Who was Pip?");
  await texts.getByRole("textbox", { name: "Message", exact: true }).fill("Where is Pip?");
  await page.keyboard.press("Enter");
  await expect(turn(1).getByText(/3 tokens · stopped at the limit/)).toHaveCount(2, { timeout: 60_000 });
  // The conversation is there again when its screen is.
  const compare = page.url().split("#")[1] ?? "";
  await visit(page, "#/overview");
  await expect(texts).toHaveCount(0);
  await visit(page, `#${compare}`);
  await expect(turn(1).getByText(/3 tokens · stopped at the limit/)).toHaveCount(2);
  await texts.getByRole("button", { name: "Clear" }).click();
  await expect(turn(1)).toHaveCount(0);
});
