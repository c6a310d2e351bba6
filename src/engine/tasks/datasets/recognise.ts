import type { TaskDataset } from "#shared/evaluation.ts";
import { arc } from "./arc.ts";
import type { DatasetFormat } from "./format.ts";
import { hellaswag, hellaswagJoined } from "./hellaswag.ts";
import { lambada } from "./lambada.ts";
import { mmlu } from "./mmlu.ts";
import { ownChoice, ownLastWord } from "./own.ts";
import { piqa } from "./piqa.ts";
import { sciq } from "./sciq.ts";
import { winogrande } from "./winogrande.ts";

/** Of two formats whose columns are all there the first is taken. */
const FORMATS: readonly DatasetFormat[] = [
  ownChoice,
  ownLastWord,
  piqa,
  arc,
  hellaswag,
  hellaswagJoined,
  winogrande,
  sciq,
  mmlu,
  lambada,
];

/** The formats of one dataset, or all of them. */
export function formatsOf(dataset?: TaskDataset): readonly DatasetFormat[] {
  return dataset === undefined ? FORMATS : FORMATS.filter((format) => format.dataset === dataset);
}

/** The format whose columns are all among `columns`; null where there is none. */
export function recognise(columns: readonly string[], dataset?: TaskDataset): DatasetFormat | null {
  return (
    formatsOf(dataset).find((format) => format.columns.every((column) => columns.includes(column))) ?? null
  );
}

/** What each format needs, in one sentence's words: `piqa ("goal", "sol1", "sol2", "label")`. */
export function describeFormats(dataset?: TaskDataset): string {
  return formatsOf(dataset)
    .map((format) => `${format.dataset} (${format.columns.map((column) => `"${column}"`).join(", ")})`)
    .join("; ");
}
