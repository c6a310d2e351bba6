import { magnitudeScale } from "#shared/figures/axes.ts";
import { dotPlot } from "#shared/figures/dotPlot.ts";
import type { Figure, FigureTable, Palette } from "#shared/figures/index.ts";
import { linePlot } from "#shared/figures/linePlot.ts";
import { significant } from "#shared/format.ts";
import { TIMES, type CompareChart } from "#shared/lab/compareChart.ts";
import type { Compared } from "./compared.ts";
import { compareTable, type Line } from "./compareTable.ts";

const HEIGHT = 340;

type Placed = Omit<Compared, "report">;
type Plot<K extends CompareChart["kind"]> = Omit<Extract<CompareChart, { kind: K }>, "points"> & {
  readonly points: readonly Line[];
};

/** A chart of several results, each with its letter and shape. */
export function compareFigure(chart: CompareChart, compared: readonly Placed[], palette: Palette): Figure {
  const points = chart.points.flatMap(({ of, ...point }): Line[] => {
    const one = compared[of];
    return one ? [{ ...point, one }] : [];
  });
  return chart.kind === "lines"
    ? lines({ ...chart, points }, compared, palette)
    : dots({ ...chart, points }, compared, palette);
}

function lines(plot: Plot<"lines">, compared: readonly Placed[], palette: Palette): Figure {
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

function dots(plot: Plot<"dots">, compared: readonly Placed[], palette: Palette): Figure {
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

function tableOf({ first, columns, points, xLabel }: Plot<CompareChart["kind"]>): FigureTable {
  return compareTable(first, columns, points, xLabel === TIMES || columns.includes("Perplexity"));
}

function wordsOf({ row, value }: Line): string {
  return `${row}: ${value === null ? "not finite" : significant(value, 4)}`;
}

function summaryOf({ points }: Pick<Plot<"lines">, "points">, compared: readonly Placed[]): string {
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
