import { columnText, type TableColumn } from "#shared/runTable/columns.ts";
import type { TableRow } from "#shared/runTable/rows.ts";
import type { Column } from "../../parts/table.ts";
import { readTerms, resultTerms, type Filter } from "../run/filter.ts";

/** Width of a column by what it holds, in pixels. */
const WIDTHS: Readonly<Record<string, number>> = {
  ...{
    run: 180,
    model: 140,
    fingerprint: 96,
    origin: 104,
    measured: 84,
    format: 84,
    granularity: 96,
    range: 84,
  },
  ...{ arm: 112, device: 72, bits: 92, file: 88, perplexity: 96, delta: 108, kl: 84, kl99: 84 },
  ...{ agreement: 124, sqnr: 88, tokens: 76, time: 84, status: 88 },
};
/** Of a column whose words may be long. */
const WIDE = 150;

/** Pixels that a table needs so that no number is cut; narrower, it scrolls. */
export function tableWidth(columns: readonly { readonly id: string }[]): number {
  return columns.reduce((sum, { id }) => sum + (WIDTHS[id] ?? WIDE), 0);
}

/** The columns as a table of the window takes them. */
export function shownColumns(columns: readonly TableColumn[]): Column<TableRow>[] {
  return columns.map((column) => {
    const { id, title, about, format, value, order } = column;
    return {
      ...{ id, header: title, title: about ?? title, text: (row: TableRow) => columnText(column, row) },
      numeric: format !== "text",
      // What overflowed is words among numbers, and comes last.
      sort: order ?? ((row) => sortable(value(row), format !== "text")),
      width: `${WIDTHS[id] ?? WIDE}px`,
    };
  });
}

function sortable(cell: string | number | null, numeric: boolean): string | number | null {
  return numeric && typeof cell === "string" ? Infinity : cell;
}

/** Fields of a table row beside those of its variant. */
const FIELDS: Readonly<Record<string, (row: TableRow) => string | number | null>> = {
  run: ({ run }) => run.name.toLowerCase(),
  model: ({ run }) => run.modelName.toLowerCase(),
  measured: ({ measured }) => measured,
  device: ({ device }) => device.toLowerCase(),
  delta: ({ result, baseline }) =>
    result.perplexity === null || baseline?.perplexity == null
      ? null
      : result.perplexity - baseline.perplexity,
};

export const FIELDS_SENTENCE =
  "Fields: run, model, measured, device, bits, scheme, granularity, range, z, bpw, perplexity, delta, kl, agreement, sqnr, time, status.";

/**
 * Reads a filter over rows of several runs: the terms of a run's results, with `run = …`, `model = …`, `measured = …` and `device = …`,
 * `imported`, and words in the names of run, model and variant.
 */
export function readTableFilter(text: string): Filter<TableRow> {
  const variant = resultTerms({ baselinePerplexity: null, isPinned: () => false, isOnFront: () => false });
  return readTerms(text, {
    field: (name) => {
      if (Object.hasOwn(FIELDS, name)) return FIELDS[name];
      const of = variant.field(name);
      return of && ((row) => of(row.result));
    },
    word: (word) => {
      if (word === "imported") return ({ run }) => run.imported !== null;
      const of = OF_ONE_RUN.has(word) ? undefined : variant.word(word);
      return of && ((row) => of(row.result));
    },
    label: ({ run, result }) => `${run.name} ${run.modelName} ${result.label}`,
  });
}

/** Words of a run's own filter that mean nothing over several runs. */
const OF_ONE_RUN: ReadonlySet<string> = new Set(["pinned", "front", "on the front"]);
