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

/** The dataset that columns come near to, and the columns that they lack for it. */
export interface Nearest {
  readonly dataset: TaskDataset;
  readonly missing: readonly string[];
}

/** The dataset that the largest share of columns is there of, at least half of them; null where there is none. */
export function nearestFormat(columns: readonly string[], dataset?: TaskDataset): Nearest | null {
  let best: (Nearest & { share: number }) | null = null;
  for (const format of formatsOf(dataset)) {
    const missing = format.columns.filter((column) => !columns.includes(column));
    const share = 1 - missing.length / format.columns.length;
    if (share >= 0.5 && share > (best?.share ?? 0)) best = { dataset: format.dataset, missing, share };
  }
  return best && { dataset: best.dataset, missing: best.missing };
}

/** What each format needs, in one sentence's words: `piqa ("goal", "sol1", "sol2", "label")`. */
export function describeFormats(dataset?: TaskDataset): string {
  return formatsOf(dataset)
    .map((format) => `${format.dataset} (${format.columns.map((column) => `"${column}"`).join(", ")})`)
    .join("; ");
}
