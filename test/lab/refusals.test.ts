import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDemo, type Demo } from "../golden-model/demoModel.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { conduct, openSynthetic, TEXT, writeText } from "./labRun.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

it.each(["importance", "super-activations", "token-probabilities", "sensitivity"] as const)(
  "%s ends with a clear error where there is no super weight",
  async (experiment) => {
    await expect(conduct(demo, experiment, { text: TEXT }, { superWeights: [] })).rejects.toMatchObject({
      code: "lab/no-super-weights",
    });
  },
);

it("refuses a calibration text that is a copy of the judged one", async () => {
  const calibration = join(await temporaryFolder(), "copy.jsonl");
  await copyFile(TEXT, calibration);
  await expect(conduct(demo, "sensitivity", { text: TEXT, calibration, factors: [1] })).rejects.toMatchObject(
    { code: "usage/calibration-is-text" },
  );
});

it("refuses a prompt that holds no token", async () => {
  const model = await openSynthetic();
  try {
    const request = { text: TEXT, prompts: ["123"] };
    await expect(
      conduct(model, "super-activations", request, { superWeights: [[0, 1, 2]] }),
    ).rejects.toMatchObject({ code: "usage/empty-prompt" });
  } finally {
    await model.close();
  }
});

it("prunes each of several super weights alone, too", async () => {
  const model = await openSynthetic({ layers: 3 });
  try {
    const text = await writeText(["the quick brown fox", "jumps over the lazy dog"]);
    const { report } = await conduct(
      model,
      "importance",
      { text },
      {
        superWeights: [
          [0, 1, 2],
          [1, 3, 4],
        ],
      },
    );
    expect(report.rows.map(({ name }) => name).slice(-2)).toEqual([
      "layer 0 [1, 2] alone pruned",
      "layer 1 [3, 4] alone pruned",
    ]);
    expect(report.rows[1]?.weights).toBe(2);
  } finally {
    await model.close();
  }
});

it("follows each of several super weights, the others' rows left out", async () => {
  const model = await openSynthetic({
    layers: 3,
    plant: [
      { tensor: "model.layers.0.mlp.down_proj.weight", row: 1, column: 2, value: 1e6 },
      { tensor: "model.layers.1.mlp.down_proj.weight", row: 3, column: 4, value: 1e5 },
    ],
  });
  try {
    const text = await writeText(["the quick brown fox", "jumps over the lazy dog"]);
    const superWeights = [
      [0, 1, 2],
      [1, 3, 4],
    ] as const;
    const { report } = await conduct(
      model,
      "super-activations",
      { text, prompts: ["the quick", "brown fox"] },
      { superWeights: superWeights.map(([...it]) => it) },
    );
    const [first, second] = report.persistence;
    expect(first).toMatchObject({ from: 0, to: 2 });
    expect(second).toMatchObject({ from: 1, to: 2 });
    expect(report.states[0]?.peaks[0]?.[2]?.channel).toBe(1);
  } finally {
    await model.close();
  }
});
