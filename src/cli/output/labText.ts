import { coordinateWords } from "#shared/figures/detectionWords.ts";
import { labFigures } from "#shared/lab/index.ts";
import { paletteOf } from "#shared/figures/index.ts";
import type { LabReport, LabSummary } from "#shared/lab/index.ts";
import { EXPERIMENTS, originalTasks } from "#shared/lab/index.ts";
import { figureTableText } from "./figureTable.ts";
import { duration } from "./numbers.ts";
import { conventionClause } from "./scores.ts";
import { textTable } from "./table.ts";
import { tasksText } from "./taskTables.ts";

/** An experiment for people: the finding, how it was measured, the values of each of its figures once, the task files, what to know. */
export function labText(report: LabReport): string {
  const { title, paper } = EXPERIMENTS[report.experiment];
  const found = report.superWeights.map(coordinateWords);
  const head = [
    `${title} (${paper}): ${sentence(report.finding.text)}`,
    `Super weights: ${found.join(", ") || "none"}. ${conventionClause(report.convention)}; ${duration(report.seconds)} on ${report.device}.`,
    ...(report.calibration === null ? [] : [`Chosen on ${report.calibration}.`]),
  ];
  const tasks = originalTasks(report);
  const answered = tasks.length > 0 ? [`Task files, as the original answers them\n${tasksText(tasks)}`] : [];
  const notes = report.notes.map(({ text }) => `Note: ${text}`);
  const parts = [
    head.join("\n"),
    ...tables(report),
    ...answered,
    ...(notes.length > 0 ? [notes.join("\n")] : []),
  ];
  return `${parts.map((part) => part.trimEnd()).join("\n\n")}\n`;
}

/** The tables of the figures, those that several share once. */
function tables(report: LabReport): string[] {
  const figures = labFigures(
    report,
    paletteOf((name) => name),
  );
  const seen = new Set<string>();
  return figures.flatMap(({ title, table }) => {
    const key = JSON.stringify(table);
    if (seen.has(key) || table.rows.length === 0) return [];
    seen.add(key);
    return [`${title}\n${figureTableText(table)}`];
  });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The longest finding in a list, in characters; lab show has all of it. */
const LIST_FINDING = 100;

function shortened(finding: string): string {
  return finding.length > LIST_FINDING ? `${finding.slice(0, LIST_FINDING - 1)}…` : finding;
}

/** Kept experiments, newest first as the store gives them. */
export function labTable(kept: readonly LabSummary[]): string {
  return textTable(
    [
      { title: "experiment" },
      { title: "id" },
      { title: "created (UTC)" },
      { title: "model" },
      { title: "finding" },
    ],
    kept.map(({ experiment, id, created, modelName, finding }) => [
      experiment,
      id,
      created.slice(0, 16).replace("T", " "),
      modelName,
      shortened(finding.text),
    ]),
  );
}
