import type { RunSummary } from "#shared/run.ts";
import { count, when } from "#renderer/format.ts";
import type { Column } from "#renderer/parts/table.ts";
import { runResult } from "../run/runText.ts";

/** What a run is and what became of it; the cell of `result` is RunResult.svelte. */
export const RUN_COLUMNS: readonly Column<RunSummary>[] = [
  { id: "name", header: "Run", text: (run) => run.name, sort: (run) => run.name },
  { id: "model", header: "Model", mono: true, text: (run) => run.modelName, sort: (run) => run.modelName },
  { id: "result", header: "Result", width: "300px", text: runResult, sort: (run) => run.status },
];

/** How large a run is and when it began. */
export const RUN_FACTS: readonly Column<RunSummary>[] = [
  {
    id: "total",
    header: "Variants",
    numeric: true,
    width: "88px",
    text: (run) => count(run.total),
    sort: (run) => run.total,
  },
  {
    id: "created",
    header: "Started",
    numeric: true,
    width: "120px",
    text: (run) => when(run.created),
    sort: (run) => run.created,
  },
];
