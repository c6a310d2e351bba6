import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { detectReport } from "#shared/detection.ts";
import { ablateReport, evalReport, taskReport, type Scores } from "#shared/evaluation.ts";
import { exportReport } from "#shared/exporting.ts";
import {
  figures,
  FIGURES_ITEMS,
  FIGURES_JUDGE,
  golden,
  type GoldenEvaluation,
} from "../golden-model/demoModel.ts";
import { SOAK } from "../support/soak.ts";
import { DEMO } from "./demo.ts";
import { start } from "./process.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

/** Activations, shares: relative. */
const ACTIVATION = 1e-3;
/** Perplexity where the model still works; NLL where a recipe has destroyed it (golden perplexity above 100). */
const PERPLEXITY = 1e-3;
const DESTROYED = 100;
const DESTROYED_NLL = 1e-2;
/** KL: relative, and absolute for the smallest. */
const KL = 2e-3;
const KL_FLOOR = 1e-5;
/** The text and the items that the figures are of. */
const TEXT = ["--text", DEMO.text, ...(SOAK ? [] : ["--tokens", String(FIGURES_JUDGE.tokens)])];
const LIMIT = ["--limit", String(FIGURES_ITEMS)];

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "keystone-test-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function keystone(...argv: string[]): Promise<unknown> {
  const { code, stderr, json } = await runMain([...argv, "--json"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return json();
}

function expectClose(found: number | null | undefined, wanted: number, relative: number, absolute = 0): void {
  expect(found).toEqual(expect.any(Number));
  const distance = Math.abs((found ?? NaN) - wanted);
  expect(distance <= relative * Math.abs(wanted) + absolute, `${found} is not ${wanted}`).toBe(true);
}

function expectScores(found: Scores, wanted: GoldenEvaluation): void {
  expect(found.tokens).toBe(wanted.tokens);
  if (wanted.perplexity > DESTROYED) {
    expectClose(found.nll, wanted.nll, DESTROYED_NLL);
    return;
  }
  expectClose(found.perplexity, wanted.perplexity, PERPLEXITY);
  if (wanted.kl !== undefined) expectClose(found.kl?.mean, wanted.kl, KL, KL_FLOOR);
}

function goldenRow(name: string): GoldenEvaluation {
  const row = [...figures.evaluations, ...figures.ablations].find((it) => it.name === name);
  if (!row) throw new Error(`The reference has no row ${name}.`);
  return row;
}

describe("on the demo model", () => {
  it("inspect gives every tensor with its largest value and kurtosis", async () => {
    const tensor = z.object({
      name: z.string(),
      shape: z.array(z.number()),
      dtype: z.string(),
      absMax: z.number(),
      kurtosis: z.number(),
    });
    const document = z
      .object({
        architecture: z.literal("LlamaForCausalLM"),
        parameters: z.number(),
        layers: z.literal(6),
        bytes: z.literal(9_908_648),
        tensors: z.array(tensor),
      })
      .parse(await keystone("inspect", DEMO.model));
    expect(document.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(
      document.parameters,
    );
    const down = document.tensors.find(({ name }) => name === "model.layers.1.mlp.down_proj.weight");
    expect(down).toMatchObject({ shape: [256, 704], dtype: "F16", absMax: 1.900390625 });
    expect(down?.kurtosis).toBeGreaterThan(3);
  });

  it("detect finds exactly golden.json's super weights, on their passes", async () => {
    const report = detectReport.parse(await keystone("detect", DEMO.model));
    expect(
      report.superWeights.map(({ layer, row, column, token, pass, rank, value }) => ({
        layer,
        row,
        column,
        token,
        pass,
        rank,
        value,
      })),
    ).toEqual(
      golden.superWeights.map(({ layer, row, column, token, pass, rank, value }) => ({
        layer,
        row,
        column,
        token,
        pass,
        rank,
        value,
      })),
    );
    for (const [i, wanted] of golden.superWeights.entries()) {
      const found = report.superWeights[i];
      expectClose(found?.inputActivation, wanted.inputActivation, ACTIVATION);
      expectClose(found?.outputActivation, wanted.outputActivation, ACTIVATION);
      expectClose(found?.share, wanted.share, ACTIVATION);
    }
    for (const [i, wanted] of golden.layers.entries()) {
      const found = report.layers[i];
      expect(found?.layer).toBe(wanted.layer);
      expectClose(Math.abs(found?.input.value ?? NaN), wanted.input, ACTIVATION);
      expectClose(Math.abs(found?.output.value ?? NaN), wanted.output, ACTIVATION);
      expectClose(Math.abs(found?.residual.value ?? NaN), wanted.residual, ACTIVATION);
    }
    expect(report.peakRssBytes).toBeGreaterThan(0);
  });

  it("detect --effect measures what the weight is worth", async () => {
    const document = detectReport.parse(await keystone("detect", DEMO.model, "--effect", "--tokens", "500"));
    const effect = document.superWeights[0]?.effect;
    expect(effect?.tokens).toBeGreaterThanOrEqual(500);
    expect(effect?.perplexity).toBeGreaterThan(1000 * (effect?.baseline ?? Infinity));
    expect(effect?.kl).toBeGreaterThan(5);
  });

  it("eval gives the original's perplexity", async () => {
    const report = evalReport.parse(await keystone("eval", DEMO.model, "--text", DEMO.text));
    expectScores(report, golden.evaluations[0]);
    expect(report.baseline).toBeNull();
    expect(report.convention).toMatchObject({ windows: "bos", context: 192, bos: true });
  });

  it.each(["rtn3-flat16384-z5-restore", "rtn4-flat16384-z9"])(
    "eval --recipe %s gives its perplexity and KL",
    async (name) => {
      const report = evalReport.parse(
        await keystone("eval", DEMO.model, "--recipe", DEMO.recipe(name), ...TEXT),
      );
      expectScores(report, goldenRow(name));
      expectClose(report.baseline?.perplexity, goldenRow("unquantized").perplexity, PERPLEXITY);
      expect(report.kl).toMatchObject({
        median: expect.any(Number) as number,
        p99: expect.any(Number) as number,
        topAgreement: expect.any(Number) as number,
      });
      expect(report.bitsPerWeight).toBeGreaterThan(2.9);
    },
  );

  it("ablate shows the collapse, and next to nothing where as many ordinary outliers go", async () => {
    const report = ablateReport.parse(await keystone("ablate", DEMO.model, ...TEXT, "--scale", "0.5,2"));
    const row = (pattern: RegExp): (typeof report.rows)[number] => {
      const found = report.rows.find(({ name }) => pattern.test(name));
      if (!found) throw new Error(`No row ${pattern}: ${report.rows.map(({ name }) => name).join(", ")}`);
      return found;
    };
    expectScores(row(/^original$/), goldenRow("unquantized"));
    expectScores(row(/pruned$/), goldenRow("super weights x0"));
    expectScores(row(/0\.5/), goldenRow("super weights x0.5"));
    expectScores(row(/2$/), goldenRow("super weights x2"));
    expect(row(/kept/).perplexity).toBeLessThan(row(/^super weights pruned$/).perplexity ?? 0);
    const others = row(/other/);
    expect(others.weights).toBeGreaterThanOrEqual(50);
    expect(others.perplexity).toBeLessThan(1.01 * goldenRow("unquantized").perplexity);
  });

  it("tasks gives the reference's accuracies", async () => {
    const { tasks } = z
      .object({ tasks: z.array(taskReport) })
      .parse(await keystone("tasks", DEMO.model, "--tasks", DEMO.tasksLastWord, DEMO.tasksChoice, ...LIMIT));
    expect(tasks.map(({ kind, n, accuracy: found }) => [kind, n, found])).toEqual([
      ["last-word", figures.tasks.lastWord.n, figures.tasks.lastWord.accuracy],
      ["choice", figures.tasks.choice.n, figures.tasks.choice.accuracy],
    ]);
  });

  it("export writes a checkpoint that opens again and scores the same", async () => {
    const out = join(home, "exported");
    const recipe = DEMO.recipe("rtn4-flat16384-z5-restore");
    const report = exportReport.parse(
      await keystone("export", DEMO.model, "--recipe", recipe, "--out", out, "--verify", "--tokens", "2000"),
    );
    expect(report.bitsPerWeight).toBeGreaterThan(4);
    expect(report.verified?.maxAbsDiff).toBe(0);
    expect(report.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]),
    );
    const again = evalReport.parse(await keystone("eval", out, "--text", DEMO.text, "--tokens", "2000"));
    expectClose(again.perplexity, report.verified?.judgedPerplexity ?? NaN, 1e-4);
  });
});

describe("demo", () => {
  it("runs from the checkpoint to a verified export in the current folder", async () => {
    const ended = await start(["demo"], home, home).ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("put there deliberately and then trained");
    expect(ended.stdout).toContain("Found model.layers.1.mlp.down_proj.weight [137, 401]");
    expect(ended.stdout).toMatch(/destroyed$/m);
    expect(ended.stdout).toMatch(/lowest KL: exported$/m);
    expect(ended.stdout).toContain(`Exported: ${join(home, "keystone-demo")}\n`);
    expect(await readdir(join(home, "keystone-demo"))).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors", "README.md"]),
    );
  });
});
