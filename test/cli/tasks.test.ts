import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { taskReport, type TaskReport } from "#shared/evaluation.ts";
import type { Outcome } from "./runMain.ts";
import { sharedStudio } from "./sharedStudio.ts";

const runMain = sharedStudio();

const GOLDEN = join(import.meta.dirname, "../golden/tasks");
const MODEL = join(GOLDEN, "bos");
const sample = (name: string): string => join(GOLDEN, "samples", name);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keystone-cli-tasks-"));
});
afterAll(() => rm(folder, { recursive: true }));

const keystone = (...argv: string[]): Promise<Outcome> =>
  runMain(["tasks", MODEL, "--device", "cpu", "--workers", "1", ...argv]);
const reportsOf = ({ json }: Outcome): TaskReport[] =>
  z.object({ tasks: z.array(taskReport) }).parse(json()).tasks;

describe("keystone tasks MODEL --tasks …", () => {
  it("reads Parquet, JSON lines and folders, each a task of its own dataset", async () => {
    const scenes = join(folder, "scenes");
    await mkdir(scenes);
    await copyFile(sample("hellaswag.parquet"), join(scenes, "validation-00000-of-00001.parquet"));
    await writeFile(join(scenes, "train-00000-of-00001.jsonl"), "not read");
    const outcome = await keystone("--tasks", scenes, sample("lambada.jsonl"), "--json");
    expect(outcome.stderr).toBe("");
    expect(reportsOf(outcome)).toMatchObject([
      {
        name: "scenes (validation)",
        files: ["validation-00000-of-00001.parquet"],
        dataset: "hellaswag",
        n: 6,
      },
      { name: "lambada", dataset: "lambada", n: 9, accuracyNorm: null, skipped: [] },
    ]);
  });

  it("--limit takes the first items and --items tells what was said to each", async () => {
    const [task] = reportsOf(
      await keystone("--tasks", sample("piqa.jsonl"), "--limit", "2", "--items", "--json"),
    );
    expect(task.n).toBe(2);
    expect(task.items).toMatchObject([
      { file: "piqa.jsonl", line: 1, gold: 0, right: expect.any(Boolean) as boolean },
      { line: 2, gold: 1 },
    ]);
    expect(task.items?.[0].logLikelihoods).toHaveLength(2);
  });

  it("people get acc and acc_norm with their errors, how many, and what was left out with the reason", async () => {
    const row = { goal: "Open a jar", sol1: "turn", sol2: "sing", label: 0 };
    const rows = [row, { ...row, label: 3 }, { ...row, label: 3 }, { ...row, sol1: "a ".repeat(200) }];
    await writeFile(join(folder, "jars.jsonl"), rows.map((it) => JSON.stringify(it)).join("\n"));
    const { stdout } = await keystone("--tasks", join(folder, "jars.jsonl"));
    expect(stdout).toMatch(/task\s+dataset\s+acc\s+±\s+acc_norm\s+±\s+perplexity\s+n\s+cut\s+skipped/);
    expect(stdout).toMatch(/jars\s+piqa\s+\d+\.0%\s+–\s+\d+\.0%\s+–\s+–\s+1\s+0\s+3/);
    expect(stdout).toContain(
      "jars: skipped 2 items, each of which has the right choice 3, but its 2 choices are 0 to 1 (jars.jsonl 2, jars.jsonl 3).",
    );
    expect(stdout).toMatch(
      /skipped 1 item, which has a continuation of \d+ tokens; the model has 128 positions/,
    );
  });

  it("two files of one name are two tasks, told apart by their folders", async () => {
    const paths = ["piqa", "winogrande"].map((name) => join(folder, name, "validation.jsonl"));
    for (const path of paths) {
      await mkdir(dirname(path));
      await copyFile(sample(`${basename(dirname(path))}.jsonl`), path);
    }
    const outcome = await keystone("--tasks", ...paths, "--limit", "1", "--json");
    expect(reportsOf(outcome)).toMatchObject([
      { name: "piqa/validation", path: paths[0], dataset: "piqa" },
      { name: "winogrande/validation", path: paths[1], dataset: "winogrande" },
    ]);
  });

  it.each([
    [
      ["--tasks", sample("piqa.jsonl"), "--dataset", "arc"],
      1,
      /not those of the dataset arc\. Known columns are arc/,
    ],
    [["--tasks", sample("piqa.jsonl"), "--dataset", "glue"], 2, /Allowed choices are own, piqa/],
    [["--tasks", sample("piqa.jsonl"), "--limit", "0"], 2, /whole number from 1/],
    [["--tasks", sample("piqa.jsonl"), sample("gone.jsonl")], 2, /task file .*gone\.jsonl does not exist/],
    [["--tasks", MODEL], 1, /In the folder bos, config holds no task: line 1/],
  ] as const)("%j ends with code %i and one sentence", async (argv, code, sentence) => {
    const outcome = await keystone(...argv, "--json");
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toMatch(sentence);
    expect(outcome.code).toBe(code);
  });
});
