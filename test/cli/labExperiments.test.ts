import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { labReport, type ExperimentName, type LabReport } from "#shared/lab/index.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import { DEMO_LOGITS, divergenceBound, expectSum } from "../support/rounding.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import type { Outcome } from "./runMain.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

/** The smallest that each experiment can be asked for. */
const ASKED: Readonly<Record<ExperimentName, readonly string[]>> = {
  importance: ["--tasks", DEMO.tasksLastWord, "--task-limit", "2"],
  "super-activations": ["--prompt-count", "2"],
  "token-probabilities": ["--prompt-count", "2"],
  sensitivity: ["--factors", "0,1"],
  "block-scaling": ["--bits", "3", "--blocks", "tensor", "--thresholds", "5"],
  activations: ["--per", "token", "--alphas", "0.5"],
  "threshold-search": ["--methods", "mse", "--max-trials", "2"],
};
const JUDGE = ["--tokens", "64", "--context", "64"];
/** A second run may add up on other threads. */
const LOGITS = { ...DEMO_LOGITS, figures: Number(JUDGE[1]) };

/** The last recipes, which have the most settings: as many are scored. */
const SCORED = 3;

let home: string;
beforeEach(async () => {
  home = await temporaryFolder();
});

function keystone(...argv: string[]): Promise<Outcome> {
  return runMain(argv, { cwd: home });
}

/** Each experiment runs once; the studio keeps it. */
const made = new Map<ExperimentName, Promise<{ id: string; report: LabReport }>>();

function run(experiment: ExperimentName): Promise<{ id: string; report: LabReport }> {
  const running = made.get(experiment) ?? runOnce(experiment);
  made.set(experiment, running);
  return running;
}

async function runOnce(experiment: ExperimentName): Promise<{ id: string; report: LabReport }> {
  const asked = [...ASKED[experiment], ...(EXPERIMENTS[experiment].uses.windows ? JUDGE : [])];
  const done = await keystone("lab", experiment, DEMO.model, ...asked, "--json");
  expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: "" });
  const { id } = z.object({ id: z.string() }).parse(done.json());
  return { id, report: labReport.parse(done.json()) };
}

/** What an experiment is about, of what it quantized or changed most. */
function numberOf(report: LabReport): number | null | undefined {
  switch (report.experiment) {
    case "importance":
      return report.rows.at(-1)?.perplexity;
    case "super-activations":
      return report.states.at(-1)?.peaks.at(-1)?.at(-1)?.value;
    case "token-probabilities":
      return report.kl;
    case "sensitivity":
      return report.points.at(-1)?.perplexity;
    case "block-scaling":
      return report.cells.at(-1)?.scores.kl?.mean;
    case "activations":
      return report.rows.at(-1)?.scores.kl?.mean;
    case "threshold-search":
      return report.result?.test.kl?.mean;
  }
}

it.each(Object.keys(ASKED) as ExperimentName[])(
  "lab %s runs on the demo model, ends with 0 and a number, and is kept",
  async (experiment) => {
    const { id, report } = await run(experiment);
    expect(report).toMatchObject({ experiment, complete: true, superWeights: [[1, 137, 401]] });
    expect(Number.isFinite(numberOf(report) ?? NaN)).toBe(true);
    expect((await keystone("lab", "list")).stdout).toContain(id);
  },
);

describe("the recipes that a report prints", () => {
  it.each([
    ["block-scaling", (report) => (report.experiment === "block-scaling" ? report.cells : [])],
    [
      "activations",
      (report) =>
        report.experiment === "activations"
          ? report.rows.filter(({ weights }) => weights !== "original")
          : [],
    ],
  ] satisfies [ExperimentName, (report: LabReport) => Pick<Row, "scores">[]][])(
    "of %s give its figures again with eval",
    async (experiment, rowsOf) => {
      const { id, report } = await run(experiment);
      expect((await keystone("report", id, "--out", `${experiment}.md`)).code).toBe(0);
      const recipes = recipesIn(await readFile(join(home, `${experiment}.md`), "utf8"));
      const rows = rowsOf(report);
      expect(rows.length).toBeGreaterThan(1);
      expect(recipes).toHaveLength(rows.length);
      expect(new Set(recipes.map(({ file }) => file)).size).toBe(rows.length);
      for (const [i, { file, json, argv }] of [...recipes.entries()].slice(-SCORED)) {
        await writeFile(join(home, file), json);
        const scored = z
          .object({ kl: z.object({ mean: z.number() }) })
          .parse((await keystone(...argv, "--json")).json());
        const kl = rows[i]?.scores.kl?.mean ?? NaN;
        expectSum(scored.kl.mean, kl, divergenceBound(kl, LOGITS), file);
      }
    },
  );
});

type Row = Extract<LabReport, { experiment: "activations" }>["rows"][number];

/** Recipes as a report's code writes them: a file, then the command that reads it. */
function recipesIn(markdown: string): { file: string; json: string; argv: string[] }[] {
  const [, code = ""] = /### The recipes[^\n]*\n\n```sh\n([\s\S]*?)```/.exec(markdown) ?? [];
  return [...code.matchAll(/^cat > (\S+) <<'EOF'\n([\s\S]*?)\nEOF\nkeystone ((?:.*\\\n)*.*)$/gm)].map(
    ([, file = "", json = "", command = ""]) => ({
      file,
      json,
      argv: command.replaceAll("\\\n", " ").split(/\s+/),
    }),
  );
}
