import { expect } from "@playwright/test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expectAccessible, openModel, pastePlan, startSweep } from "./support/steps.ts";
import { test } from "./support/served.ts";

const RUN_MS = 60_000;
const BASE = { scheme: "int", bits: 8, symmetric: true };
const SMOOTHED = { bits: 8, per: "token", method: "smoothquant", alpha: 0.5 };
const JUDGE = { context: 192, tokens: 384 };

test("a sweep with SmoothQuant shows which text calibrates it, lets another be chosen, and says so beside its results", async ({
  keystone: page,
  served,
}) => {
  const model = join(served.folder, "model");
  await cp(served.demoModel, model, { recursive: true });
  for (const [name, as] of [
    ["eval.jsonl", "eval.jsonl"],
    ["calibration.jsonl", "calibration.jsonl"],
    ["calibration.jsonl", "train.jsonl"],
  ] as const)
    await cp(join(served.demoModel, "..", name), join(model, as));
  await openModel(page, model);

  await pastePlan(page, { base: BASE, grid: { granularity: ["tensor", "channel"] }, judge: JUDGE });
  await page.getByRole("button", { name: /Evaluation/ }).click();
  await expect(page.getByRole("region", { name: "Text" }).getByRole("radio")).toHaveCount(4);
  await expect(page.getByRole("region", { name: "Calibration" })).toHaveCount(0);

  await pastePlan(page, {
    base: { ...BASE, activations: SMOOTHED },
    grid: { granularity: ["tensor", "channel"] },
    judge: JUDGE,
  });
  await page.getByRole("button", { name: /Evaluation.*calibrated on calibration\.jsonl/ }).click();
  const calibration = page.getByRole("region", { name: "Calibration" });
  await expect(calibration.getByRole("radio")).toHaveCount(3);
  await expect(calibration.getByRole("radio", { name: /^calibration\.jsonl/ })).toBeChecked();
  await calibration.getByRole("radio", { name: /^train\.jsonl/ }).check();
  // The text to score is never the one that calibrates: choosing it moves the other on.
  const text = page.getByRole("region", { name: "Text" });
  await text.getByRole("radio", { name: /^train\.jsonl/ }).check();
  await expect(calibration.getByRole("radio", { name: /^calibration\.jsonl/ })).toBeChecked();
  await text.getByRole("radio", { name: /^eval\.jsonl/ }).check();
  await calibration.getByRole("radio", { name: /^train\.jsonl/ }).check();
  await expect(page.getByRole("button", { name: "Start sweep" })).toBeEnabled();
  await expectAccessible(page);
  await startSweep(page);
  await expect(page.getByRole("main")).toContainText("2 of 2 scored", { timeout: RUN_MS });
  await expect(page.getByRole("main")).toContainText("calibrated on train.jsonl");
});
