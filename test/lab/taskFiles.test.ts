import { textsOf } from "#shared/notes.ts";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { labText } from "../../src/cli/output/labText.ts";
import { accuracyWords } from "../../src/renderer/screens/lab/ablation.ts";
import { methodOf, taskLines } from "../../src/renderer/screens/lab/labText.ts";
import type { TaskReport } from "#shared/evaluation.ts";
import { labFigures } from "#shared/lab/index.ts";
import { paletteOf } from "#shared/figures/index.ts";
import type { LabReport } from "#shared/lab/index.ts";
import { makeReport } from "#studio/report/makeReport.ts";
import { openDemo, type Demo } from "../golden-model/demoModel.ts";
import { keptExperiment, madeUpSource } from "../support/reportSource.ts";
import { runLab, TEXT } from "./labRun.ts";

const judge = { tokens: 60 };
/** More words than the demo model has positions. */
const LONG = "word ".repeat(600);

let demo: Demo;
let folder: string;
/** Four good choices, three that are none; and a last word that fits, one cut from the left, one too long. */
let tasks: string[];
beforeAll(async () => {
  demo = await openDemo();
  folder = await mkdtemp(join(tmpdir(), "keystone-lab-tasks-"));
  const choice = { context: "The mirror of Quill was", choices: [" black.", " blue."], gold: 1 };
  const words = [
    { context: '"Thank you,', target: " Kira" },
    { context: LONG, target: " end" },
    { context: "a", target: ` ${LONG}` },
  ];
  const written = {
    "gold.jsonl": [choice, { ...choice, gold: 7 }, choice, { ...choice, gold: 7 }, choice, { q: 1 }, choice],
    "long.jsonl": words,
  };
  tasks = Object.keys(written).map((name) => join(folder, name));
  for (const [i, rows] of Object.values(written).entries())
    await writeFile(tasks[i], rows.map((row) => JSON.stringify(row)).join("\n"));
});
afterAll(async () => {
  await demo.close();
  await rm(folder, { recursive: true });
});

const idsOf = (report: LabReport): string[] =>
  labFigures(
    report,
    paletteOf((name) => name),
  ).map(({ id }) => id);
const countsOf = (answered: readonly TaskReport[] | undefined): unknown =>
  answered?.map(({ name, n, truncated, skipped }) => [name, n, truncated, skipped.length]);
const COUNTS = [
  ["gold", 4, 0, 3],
  ["long", 2, 1, 1],
];

describe("task files with rows that are skipped or cut", () => {
  let report: LabReport;
  beforeAll(async () => {
    report = (await runLab(demo, "importance", { text: TEXT, judge, tasks, taskLimit: 9 })).report;
  });

  const LEFT_OUT = [
    "gold: skipped 2 items, each of which has the right choice 7, but its 2 choices are 0 to 1 (gold.jsonl 2, gold.jsonl 4).",
    /gold: skipped 1 item, which has the columns "q", which are not those of a known dataset \(gold\.jsonl 6\)\./,
    "long: 1 item had more context than fits; it was cut on the left.",
    /long: skipped 1 item, which has a continuation of [\d,]+ tokens; the model has [\d,]+ positions \(long\.jsonl 3\)\./,
  ];

  it("are reported on a terminal, with every row's figures and errors", () => {
    const text = labText(report);
    for (const words of LEFT_OUT) expect(text).toMatch(words);
    expect(text).toMatch(/^gold +own +\d+\.0% +\d+\.\d% +\d+\.0% +\d+\.\d% +– +4 +0 +3$/m);
    expect(text).toMatch(/^long +own .* +2 +1 +1$/m);
    expect(text).toMatch(/^super weights pruned +gold +\d+\.0% +\d+\.\d% .* 4$/m);
  });

  it("are reported in a report", async () => {
    const kept = keptExperiment(report);
    const { content } = await makeReport({ ...madeUpSource([]), lab: [kept] }, "markdown");
    const plain = content.replaceAll("\\", "").replaceAll("&#47;", "/");
    for (const words of LEFT_OUT) expect(plain).toMatch(words);
    expect(plain).toMatch(/\| gold \| own \| .* \| 4 \| 0 \| 3 \|/);
    expect(plain).toContain(`- Task files: ${tasks.join(" and ")}\n- Items per task: at most 9`);
  });

  it("are reported in the window, with what a result was measured on", () => {
    const lines = textsOf(taskLines(report));
    expect(lines[0]).toMatch(/^gold \(own\): 4 items, acc [\d.]+% ± [\d.]+%, acc_norm .*; 3 skipped$/);
    expect(lines[1]).toMatch(/^long \(own\): 2 items, .*, perplexity .*; 1 cut on the left; 1 skipped$/);
    for (const words of LEFT_OUT) expect(lines.join("\n")).toMatch(words);
    expect(methodOf(report)).toMatch(/eval\.jsonl, \d+ tokens in 1 window of 192/);
    expect(methodOf(report)).toContain("gold and long, at most 9 items each");
  });

  it("are counted alike in every row of importance", () => {
    if (report.experiment !== "importance") throw new Error("another experiment");
    expect(report.rows.map((row) => countsOf(row.tasks))).toEqual(report.rows.map(() => COUNTS));
    expect(accuracyWords(report.rows[0].tasks?.[0]?.accuracy, report.rows[0].tasks?.[0]?.stderr)).toMatch(
      / ± /,
    );
  });

  it("are answered by the original and every factor of sensitivity", async () => {
    const { report: found } = await runLab(demo, "sensitivity", {
      text: TEXT,
      judge,
      tasks,
      factors: [0, 2],
    });
    expect([found.original, ...found.points].map((row) => countsOf(row?.tasks))).toEqual([
      COUNTS,
      COUNTS,
      COUNTS,
    ]);
    expect(idsOf(found)).toContain("sensitivity-accuracy");
  });

  it("are answered by every row of activations, which then have a chart of accuracy", async () => {
    const { report: found } = await runLab(demo, "activations", {
      text: TEXT,
      judge,
      tasks,
      per: ["token"],
    });
    expect(found.rows.length).toBeGreaterThan(4);
    expect(found.rows.map((row) => countsOf(row.tasks))).toEqual(found.rows.map(() => COUNTS));
    expect(idsOf(found)).toContain("activations-accuracy");
  });
});
