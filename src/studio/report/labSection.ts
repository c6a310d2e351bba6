import { coordinateWords } from "#shared/figures/detectionWords.ts";
import type { TaskReport } from "#shared/evaluation.ts";
import { count, duration, list } from "#shared/format.ts";
import { labFigures } from "#shared/lab/index.ts";
import { type Figure, type Palette } from "#shared/figures/index.ts";
import { taskTable } from "#shared/figures/taskTable.ts";
import type { LabReport, LabResult } from "#shared/lab/index.ts";
import { EXPERIMENTS, grainWords, originalTasks } from "#shared/lab/index.ts";
import { reachedWords, unfinishedMark } from "#shared/lab/reports/unfinished.ts";
import { repeatEval, repeatLab, repeatText } from "#shared/repeat/repeat.ts";
import { leftOut } from "#shared/taskWords.ts";
import type { Block, Section } from "./document.ts";
import { paperComparison } from "./paper.ts";

/** An experiment: its question, its figures, its table, what the paper saw, and the command to run it again. */
export function labSection(result: LabResult, index: number, palette: Palette): Section {
  const { summary, request, report } = result;
  const { title, paper, question } = EXPERIMENTS[report.experiment];
  const figures = labFigures(report, palette);
  const main = figures[0];
  const beside = paperComparison(report);
  const blocks: Block[] = [
    { kind: "text", text: question },
    ...figures.flatMap((figure): Block[] => figureBlocks(figure, main)),
    ...tables(report),
    ...recipes(result),
    ...listBlocks("Beside the paper", beside.paper),
    ...taskBlocks(originalTasks(report)),
    ...listBlocks("What to know", beside.others),
    { kind: "heading", text: "How it was measured" },
    { kind: "facts", facts: factsOf(summary, report) },
    {
      kind: "code",
      label: "Run this experiment again",
      text: repeatText(repeatLab(request, report.model)),
    },
  ];
  return {
    id: `lab-${index + 1}`,
    label: `${title} · ${paper} of the paper`,
    finding: report.finding.text,
    blocks,
  };
}

function listBlocks(heading: string, items: readonly string[]): Block[] {
  return items.length === 0
    ? []
    : [
        { kind: "heading", text: heading },
        { kind: "list", items },
      ];
}

/** The first figure's table is the experiment's own and stands open below it; others fold theirs away, unless it is the same. */
function figureBlocks(figure: Figure, main: Figure | undefined): Block[] {
  if (figure === main) {
    return [
      { kind: "figure", figure, values: false },
      { kind: "table", label: figure.title, table: figure.table },
    ];
  }
  const isSame = JSON.stringify(figure.table) === JSON.stringify(main?.table);
  return [{ kind: "figure", figure, values: !isSame }];
}

function factsOf(summary: LabResult["summary"], report: LabReport): [string, string][] {
  const mark = unfinishedMark(report);
  const weights = report.superWeights.map(coordinateWords);
  return [
    ["Experiment", summary.id],
    ["Model", `${report.modelName} (${report.model})`],
    ["Super weights", weights.join(", ") || "none"],
    ...(mark !== null && report.reached
      ? [
          [mark, `after ${reachedWords(report.reached)}; what was measured until then is kept`] as [
            string,
            string,
          ],
        ]
      : []),
    ["Changed", grainWords(report.experiment, weights.length)],
    ["Text", report.text],
    ...(report.calibration === null ? [] : [["Calibration text", report.calibration] as [string, string]]),
    ["Evaluated on", report.convention.text],
    ...taskFacts(report),
    [
      "Made",
      `${summary.created.slice(0, 16).replace("T", " ")} UTC, ${duration(report.seconds)} on ${report.device}`,
    ],
  ];
}

function taskFacts(report: LabReport): [string, string][] {
  const tasks = originalTasks(report);
  if (tasks.length === 0) return [];
  const { taskLimit } = report;
  return [
    ["Task files", list(tasks.map(({ name, path }) => path || name))],
    ["Items per task", taskLimit === null ? "all" : `at most ${count(taskLimit)}`],
  ];
}

/** The task files with what the original answers, and what was cut or left out of them. */
function taskBlocks(tasks: readonly TaskReport[]): Block[] {
  if (tasks.length === 0) return [];
  const label = "Task files, as the original answers them";
  const notes = tasks.flatMap(leftOut);
  return [
    { kind: "heading", text: label },
    { kind: "table", label, table: taskTable(tasks) },
    ...(notes.length > 0 ? [{ kind: "list", items: notes } as const] : []),
  ];
}

/** Tables that the experiment has beside those of its figures. */
function tables(report: LabReport): Block[] {
  const all = EXPERIMENTS[report.experiment].tables?.(report) ?? [];
  return all.flatMap(({ label, table }): Block[] => [
    { kind: "heading", text: label },
    { kind: "table", label, table },
  ]);
}

/** Every recipe that was judged, with the command that scores it. */
function recipes({ report, request }: LabResult): Block[] {
  const named = EXPERIMENTS[report.experiment].recipes?.(report, request) ?? [];
  if (named.length === 0) return [];
  const texts = named.map((one) => repeatText(repeatEval(one, request, report.model)));
  const [only] = texts;
  if (texts.length === 1 && only !== undefined)
    return [{ kind: "code", label: "Score the recipe that was found", text: only }];
  return [
    { kind: "code", label: "The recipes, and how to score each", text: texts.join("\n"), folded: true },
  ];
}
