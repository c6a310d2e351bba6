import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readTaskFile } from "#engine/tasks/read/readTaskFile.ts";
import { prepareTask } from "#engine/tasks/score/prepareTask.ts";
import { ORIGINAL, runTasks } from "#engine/tasks/score/runTasks.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import { openModelAt, type OpenModel } from "../support/openModelAt.ts";
import { DEMO_LOGITS, expectSum, logLikelihoodBound } from "../support/rounding.ts";

const SAMPLES = join(import.meta.dirname, "../golden/tasks/samples");
const FILES = ["piqa.jsonl", "arc-easy.parquet", "hellaswag.parquet", "winogrande.jsonl", "mmlu.parquet"];

/** Looks for its super activation in every window, which therefore may not branch; puts back what is there already. */
const LOOKS_AT_WINDOWS: Variant = {
  id: "kept",
  plans: new Map(),
  keepSuperActivation: [{ layer: 1, row: 137 }],
};

let demo: OpenModel;
beforeAll(async () => {
  demo = await openModelAt(join(import.meta.dirname, "../../resources/demo-model/model"));
});
afterAll(() => demo.close());

it("choices laid behind one context get the log-likelihoods that they get each alone", async () => {
  const files = await Promise.all(FILES.map((file) => readTaskFile(join(SAMPLES, file))));
  const [shared] = await runTasks({ ...demo, files, variants: [ORIGINAL], items: true });
  const [alone] = await runTasks({ ...demo, files, variants: [ORIGINAL, LOOKS_AT_WINDOWS], items: true });
  shared.tasks.forEach((task, i) =>
    task.items?.forEach((item, k) =>
      item.logLikelihoods.forEach((value, c) =>
        expectSum(
          value,
          alone.tasks[i].items?.[k].logLikelihoods[c] ?? NaN,
          logLikelihoodBound(value ?? NaN, DEMO_LOGITS),
          `${task.name}, item ${k + 1}, continuation ${c + 1}`,
        ),
      ),
    ),
  );
}, 60_000);

it("takes a third of the tokens for four choices behind a longer context", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keystone-sharing-"));
  const path = join(folder, "tasks.jsonl");
  const context = "In a small house by the garden lived Leif, a curious goat. The whistle of Leif was";
  await writeFile(
    path,
    JSON.stringify({ context, choices: [" black.", " very blue.", " red and green.", " white."], gold: 0 }),
  );
  const file = await readTaskFile(path);
  await rm(folder, { recursive: true });
  const tokens = (mayBranch: boolean): number => {
    const limits = { contextLength: 192, mayBranch, longestBranching: Infinity };
    const { items } = prepareTask(file, demo.tokenizer, limits);
    return items[0].windows.reduce((n, { ids }) => n + ids.length, 0);
  };
  expect(tokens(true)).toBeLessThan(tokens(false) / 3);
});
