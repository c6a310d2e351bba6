import { magnitudeScale, type Scale } from "#shared/figures/axes.ts";
import { dotPlot } from "#shared/figures/dotPlot.ts";
import type { Figure, FigureLayout, FigureTable, Palette } from "#shared/figures/index.ts";
import { linePlot } from "#shared/figures/linePlot.ts";
import { significant } from "#shared/format.ts";
import type { Compared } from "./compared.ts";
import { compareTable, type Column, type Line } from "./compareTable.ts";

const HEIGHT = 340;
export const TIMES = "× the original's perplexity";

interface Plot {
  id: string;
  title: string;
  caption: string;
  xLabel: string;
  reference?: number;
  /** Heading of the column that holds the rows' names, and of those behind it. */
  first: string;
  columns: readonly Column[];
  points: readonly Line[];
}

export function lines(
  plot: Plot & { x: FigureLayout; yLabel: string },
  compared: readonly Omit<Compared, "report">[],
  palette: Palette,
): Figure {
  const { id, title, caption, xLabel, yLabel, x, points, reference } = plot;
  const drawn = linePlot(
    {
      series: compared.map(({ place, letter, name }) => ({
        name: letter,
        role: place,
        points: points
          .filter((point) => point.one.place === place)
          .map((point) => ({
            x: point.x ?? 0,
            y: point.value,
            words: `${letter} ${name}, ${wordsOf(point)}`,
          })),
      })),
      y: magnitudeScale([...points.map(({ value }) => value), reference]),
      yLabel,
      x,
      xLabel,
      reference: reference === undefined ? undefined : { value: reference, text: "original" },
      height: HEIGHT,
    },
    palette,
  );
  return {
    id,
    title,
    caption,
    summary: summaryOf(plot, compared),
    height: HEIGHT,
    ...drawn,
    table: tableOf(plot),
  };
}

export function dots(
  plot: Plot & { x: Scale },
  compared: readonly Omit<Compared, "report">[],
  palette: Palette,
): Figure {
  const { id, title, caption, xLabel, x, points, reference } = plot;
  const rows = [...new Set(points.map(({ row }) => row))];
  const drawn = dotPlot(
    {
      rows: rows.map((label) => ({
        label,
        dots: points
          .filter(({ row }) => row === label)
          .map((point) => ({
            role: point.one.place,
            value: point.value,
            text: "",
            words: `${point.one.letter} ${point.one.name}, ${wordsOf(point)}`,
          })),
      })),
      x,
      xLabel,
      reference: reference ?? null,
      legend: compared.map(({ place, letter, name }) => ({ role: place, name: `${letter} ${name}` })),
    },
    palette,
  );
  return { id, title, caption, summary: summaryOf(plot, compared), ...drawn, table: tableOf(plot) };
}

function tableOf({ first, columns, points, xLabel }: Plot & { yLabel?: string }): FigureTable {
  return compareTable(first, columns, points, xLabel === TIMES || columns.includes("Perplexity"));
}

function wordsOf({ row, value }: Line): string {
  return `${row}: ${value === null ? "not finite" : significant(value, 4)}`;
}

function summaryOf({ points }: Plot, compared: readonly Omit<Compared, "report">[]): string {
  return compared
    .map(({ place, letter, name }) => {
      const values = points.flatMap(({ one, value }) =>
        one.place === place && value !== null ? [value] : [],
      );
      const range =
        values.length === 0 ? "nothing" : `${short(Math.min(...values))} to ${short(Math.max(...values))}`;
      return `${letter} ${name}: ${range}`;
    })
    .join("; ");
}

function short(value: number): string {
  return significant(value, 3);
}

export function magnitude(value: number | null | undefined): number[] {
  return value === null || value === undefined ? [] : [Math.abs(value)];
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1] ?? 0, sorted[middle] ?? 0];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
