import type { VariantResult } from "#shared/run.ts";
import { dimensionsOf, keyOf, NOT_RESTORED, type Dimension, type DimensionId } from "./dimensions.ts";

/**
 * How a run's variants fall into heatmaps: columns and rows, a choice for every further dimension, and the arms that
 * stand side by side. Every variant has exactly one place.
 */
export interface HeatLayout {
  columns: Dimension;
  rows: Dimension;
  /** Dimensions with more than one value that are neither axis: a segment each. */
  choices: readonly Dimension[];
  /** Arms that put weights back, and whether there is one that does not. */
  restoredArms: Dimension;
  hasNotRestored: boolean;
  /** Index into the results by place. */
  places: ReadonlyMap<string, number>;
}

/** Values of the dimensions that are neither rows nor columns. */
export type HeatChoice = Readonly<Partial<Record<DimensionId, string>>>;

/** Best axes first: a scan of blocks against clips is what the paper plots. */
const AXES: readonly DimensionId[] = ["granularity", "range", "format", "more"];

/** Chooses the axes from what varies in the results. */
export function heatLayout(results: readonly Pick<VariantResult, "recipe">[]): HeatLayout {
  const dimensions = dimensionsOf(results);
  const get = (id: DimensionId): Dimension => dimensions.get(id) ?? { id, name: id, values: [] };
  const varying = AXES.filter((id) => get(id).values.length > 1);
  const [columnId = "granularity", rowId = varying.includes("format") ? "range" : "format"] = varying;
  const arms = get("arm").values;
  const layout = {
    columns: get(columnId),
    rows: get(rowId === columnId ? "range" : rowId),
    choices: varying.slice(2).map(get),
    restoredArms: { ...get("arm"), values: arms.filter(({ key }) => key !== NOT_RESTORED) },
    hasNotRestored: arms.some(({ key }) => key === NOT_RESTORED),
  };
  const places = new Map(
    results.map(({ recipe }, i): [string, number] => [placeOf(layout, (id) => keyOf(recipe, id)), i]),
  );
  return { ...layout, places };
}

/** Identity of a place: the value of every dimension that varies. */
function placeOf(
  layout: Pick<HeatLayout, "columns" | "rows" | "choices">,
  value: (id: DimensionId) => string,
): string {
  const ids: DimensionId[] = [
    layout.columns.id,
    layout.rows.id,
    "arm",
    ...layout.choices.map(({ id }) => id),
  ];
  return ids.map((id) => `${id}=${value(id)}`).join("\n");
}

/** Index of the result at a place, or undefined where the plan has none. */
export function resultAt(
  layout: HeatLayout,
  choice: HeatChoice,
  arm: string,
  row: string,
  column: string,
): number | undefined {
  const place = placeOf(layout, (id) => {
    if (id === layout.columns.id) return column;
    if (id === layout.rows.id) return row;
    return id === "arm" ? arm : (choice[id] ?? "");
  });
  return layout.places.get(place);
}

/** The choice under which a variant is on screen. */
export function choiceOf(layout: HeatLayout, { recipe }: Pick<VariantResult, "recipe">): HeatChoice {
  return Object.fromEntries(layout.choices.map(({ id }) => [id, keyOf(recipe, id)]));
}

/** The first value of every choice. */
export function firstChoice(layout: HeatLayout): HeatChoice {
  return Object.fromEntries(layout.choices.map(({ id, values }) => [id, values[0]?.key ?? ""]));
}
