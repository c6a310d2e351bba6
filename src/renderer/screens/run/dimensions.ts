import { isFraction, RANGE_METHOD_NAMES } from "#shared/ranges.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { isRestored, schemeName, parseGranularity, type RangeRule, type Recipe } from "#shared/recipe.ts";
import {
  activationsLabel,
  granularityLabel,
  rangeLabel,
  schemeLabel,
  restoreLabel,
} from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";

/** What a plan can vary, as the run screen lays it out. `arm` is what happens to the super weights. */
export type DimensionId = "format" | "granularity" | "range" | "arm" | "more";

/** One value of a dimension: `key` is its identity, `label` what is written beside the heatmap. */
export interface DimensionValue {
  key: string;
  label: string;
}

export interface Dimension {
  id: DimensionId;
  name: string;
  /** The values that occur, in reading order. */
  values: readonly DimensionValue[];
}

interface Reader {
  id: DimensionId;
  name: string;
  key: (recipe: Recipe) => string;
  label: (recipe: Recipe) => string;
  /** Place among the values, compared part by part. */
  order: (recipe: Recipe) => readonly number[];
}

const SCHEMES = schemeName.options;
const BLOCK_KINDS = ["group", "channel", "flat", "tile", "tensor"];

const READERS: readonly Reader[] = [
  {
    id: "format",
    name: "scheme",
    label: schemeLabel,
    key: schemeLabel,
    order: (recipe) => [SCHEMES.indexOf(recipe.scheme), recipe.symmetric ? 1 : 0, -recipe.bits],
  },
  {
    id: "granularity",
    name: "granularity",
    label: (recipe) => granularityLabel(recipe.granularity),
    key: (recipe) => recipe.granularity,
    order: blockOrder,
  },
  {
    id: "range",
    name: "range",
    label: (recipe) => rangeLabel(recipe.range) || "no clipping",
    key: (recipe) => canonicalJson(recipe.range),
    order: ({ range }) => [
      range ? 1 + RANGE_METHOD_NAMES.indexOf(range.method) : 0,
      range ? -strengthOf(range) : 0,
    ],
  },
  {
    id: "arm",
    name: "super weights",
    label: (recipe) => restoreLabel(recipe) || "not restored",
    key: (recipe) =>
      isRestored(recipe) ? canonicalJson([recipe.restore, recipe.excludeFromRange]) : NOT_RESTORED,
    order: (recipe) => [isRestored(recipe) ? 0 : 1, recipe.excludeFromRange ? 1 : 0],
  },
  {
    id: "more",
    name: "further settings",
    label: moreLabel,
    key: (recipe) => canonicalJson(more(recipe)),
    order: (recipe) => [recipe.overrides.length, recipe.activations ? 1 : 0],
  },
];

/** Key of the arm that restores nothing. */
export const NOT_RESTORED = "none";

/** Key of a recipe's value of a dimension. */
export function keyOf(recipe: Recipe, id: DimensionId): string {
  return reader(id).key(recipe);
}

/** Every dimension with the values that occur in the results, sorted from mild to strong. */
export function dimensionsOf(results: readonly Pick<VariantResult, "recipe">[]): Map<DimensionId, Dimension> {
  return new Map(
    READERS.map((read): [DimensionId, Dimension] => {
      const seen = new Map<string, { value: DimensionValue; order: readonly number[] }>();
      for (const { recipe } of results) {
        const key = read.key(recipe);
        if (!seen.has(key))
          seen.set(key, { value: { key, label: read.label(recipe) }, order: read.order(recipe) });
      }
      const values = [...seen.values()].sort((a, b) => compare(a.order, b.order)).map(({ value }) => value);
      return [read.id, { id: read.id, name: read.name, values }];
    }),
  );
}

function reader(id: DimensionId): Reader {
  const found = READERS.find((one) => one.id === id);
  if (!found) throw new Error(`There is no dimension ${id}.`);
  return found;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function blockOrder(recipe: Recipe): readonly number[] {
  const granularity = parseGranularity(recipe.granularity);
  const size =
    granularity.kind === "tile"
      ? granularity.rows * granularity.columns
      : "size" in granularity
        ? granularity.size
        : 0;
  return [BLOCK_KINDS.indexOf(granularity.kind), size];
}

/** Higher = cuts less; so that clips run from mild to strong. */
function strengthOf(range: RangeRule): number {
  if (!("threshold" in range)) return 0;
  return isFraction(range.method) ? -range.threshold : range.threshold;
}

function more({ ignore, overrides, activations }: Recipe): unknown[] {
  return [ignore, overrides, activations];
}

function moreLabel({ overrides, activations, ignore }: Recipe): string {
  const parts = [
    activations ? activationsLabel(activations) : "",
    overrides.length > 0
      ? overrides.map((one) => `${one.match} ${one.skip ? "unquantized" : schemeish(one)}`).join(", ")
      : "",
  ].filter((part) => part !== "");
  return parts.length > 0 ? parts.join("; ") : `ignore ${ignore.length > 0 ? ignore.join(", ") : "nothing"}`;
}

function schemeish({
  bits,
  granularity,
}: {
  bits?: number | undefined;
  granularity?: string | undefined;
}): string {
  return (
    [bits === undefined ? "" : `${bits} bits`, granularity === undefined ? "" : granularityLabel(granularity)]
      .filter(Boolean)
      .join(" ") || "changed"
  );
}
