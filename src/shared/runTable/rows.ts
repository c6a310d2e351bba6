import type { Scores } from "../evaluation.ts";
import type { RunDetail, RunSummary, VariantResult } from "../run.ts";
import { measuredOn, type Measured } from "./measured.ts";

/** One variant of one run. */
export interface TableRow {
  /** Unique in the table. */
  readonly key: string;
  readonly run: RunSummary;
  readonly result: VariantResult;
  /** The original's scores in that run. */
  readonly baseline: Scores | null;
  /** Number of the way it was measured, from 1, as the groups are. */
  readonly measured: number;
  /** Name of the text that SmoothQuant's scales were chosen on. */
  readonly calibration: string | null;
  readonly device: string;
}

/** Runs that were measured alike. */
export interface MeasuredGroup {
  /** From 1, in the order in which they come. */
  readonly number: number;
  readonly measured: Measured;
  readonly runs: number;
  readonly variants: number;
}

/** A run as the table takes it. */
export type TableRun = Pick<
  RunDetail,
  "text" | "textHash" | "calibration" | "judge" | "convention" | "baseline" | "device"
> & { readonly summary: RunSummary; readonly results: readonly VariantResult[] };

/** All variants of the runs, in the runs' order, with the ways they were measured. */
export function tableRows(runs: readonly TableRun[]): { rows: TableRow[]; groups: MeasuredGroup[] } {
  const groups = new Map<string, { number: number; measured: Measured; runs: number; variants: number }>();
  const rows = runs.flatMap((run) => {
    const measured = measuredOn(run);
    const group = groups.get(measured.key) ?? { number: groups.size + 1, measured, runs: 0, variants: 0 };
    groups.set(measured.key, group);
    group.runs++;
    group.variants += run.results.length;
    const calibration = run.calibration?.split(/[\\/]/).pop() ?? null;
    return run.results.map((result): TableRow => ({
      key: `${run.summary.id}/${result.id}`,
      ...{ run: run.summary, result, baseline: run.baseline, measured: group.number },
      ...{ calibration, device: run.device },
    }));
  });
  return { rows, groups: [...groups.values()] };
}
