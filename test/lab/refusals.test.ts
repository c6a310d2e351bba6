import { textsOf } from "#shared/notes.ts";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDemo, type Demo } from "../golden-model/demoModel.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { runLab, openSynthetic, TEXT, writeText } from "./labRun.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

it.each(["importance", "super-activations", "token-probabilities", "sensitivity"] as const)(
  "%s ends with a clear error where there is no super weight",
  async (experiment) => {
    await expect(runLab(demo, experiment, { text: TEXT }, { superWeights: [] })).rejects.toMatchObject({
      code: "lab/no-super-weights",
    });
  },
);

it("refuses a calibration text that is a copy of the judged one", async () => {
  const calibration = join(await temporaryFolder(), "copy.jsonl");
  await copyFile(TEXT, calibration);
  await expect(runLab(demo, "sensitivity", { text: TEXT, calibration, factors: [1] })).rejects.toMatchObject({
    code: "usage/calibration-is-text",
  });
});

it("refuses a prompt that holds no token", async () => {
  const model = await openSynthetic();
  try {
    const request = { text: TEXT, prompts: ["123"] };
    await expect(
      runLab(model, "super-activations", request, { superWeights: [[0, 1, 2]] }),
    ).rejects.toMatchObject({ code: "usage/empty-prompt" });
  } finally {
    await model.close();
  }
});

describe("a text's one-word documents", () => {
  const ask = async (documents: readonly string[], promptCount = 4) => {
    const model = await openSynthetic();
    try {
      const request = { text: await writeText(documents), promptCount };
      return await runLab(model, "token-probabilities", request, { superWeights: [[0, 1, 2]] });
    } finally {
      await model.close();
    }
  };

  it("alone are refused: there is no context before a last word", async () => {
    await expect(ask(["Hi", "  there\n"])).rejects.toMatchObject({
      code: "text/no-context",
      message: expect.stringContaining("text.jsonl") as string,
    });
  });

  it("are counted in the notes, and longer ones take their places", async () => {
    const { report } = await ask(["Hi", "the quick brown fox", "jumps over the dog", "Ho"], 2);
    expect(report.prompts).toBe(2);
    expect(textsOf(report.notes).join(" ")).toContain(
      "2 of the text's 4 documents were left out as too short",
    );
    expect(textsOf(report.notes).join(" ")).not.toContain("asked for");
  });
});

it("refuses thresholds that none of the methods takes", async () => {
  const calibration = await writeText(["another text"], "calibration.jsonl");
  await expect(
    runLab(demo, "threshold-search", { text: TEXT, calibration, methods: ["mse"], thresholds: [9] }),
  ).rejects.toMatchObject({ code: "usage/thresholds-do-not-fit" });
});

it("says both prompts of two, and that the first token tells nothing over prompts", async () => {
  const request = { text: TEXT, prompts: ["The fox ran.", "A dog slept."] };
  const { report } = await runLab(demo, "super-activations", request);
  expect(report.finding.text).toMatch(/in both prompts; /);
  expect(textsOf(report.notes).join(" ")).toMatch(/Token 0 is BOS in every prompt .*by causality/);
  const one = await runLab(demo, "super-activations", { text: TEXT, prompts: ["The fox ran."] });
  expect(one.report.finding.text).toMatch(/in the one prompt; /);
  expect(textsOf(one.report.notes).join(" ")).not.toMatch(/Token 0/);
});

it("prunes each of several super weights alone, too", async () => {
  const model = await openSynthetic({ layers: 3 });
  try {
    const text = await writeText(["the quick brown fox", "jumps over the lazy dog"]);
    const { report } = await runLab(
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
    const { report } = await runLab(
      model,
      "super-activations",
      { text, prompts: ["the quick", "brown fox"] },
      { superWeights: superWeights.map(([...it]) => it) },
    );
    const [first, second] = report.persistence;
    expect(first).toMatchObject({ from: 0, to: 2 });
    expect(report.finding.text).toMatch(
      first.token === null
        ? /from layer 0 to 2 in both prompts, at varying tokens; /
        : /token \d+ from layer 0 to 2/,
    );
    expect(second).toMatchObject({ from: 1, to: 2 });
    expect(report.states[0]?.peaks[0]?.[2]?.channel).toBe(1);
  } finally {
    await model.close();
  }
});
