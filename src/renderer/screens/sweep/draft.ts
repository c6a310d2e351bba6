import { schemeHasGranularity, schemeIssues, SCHEMES } from "#shared/schemes/index.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { judge as judgeSchema, parsePlan, type Judge } from "#shared/plan.ts";
import {
  armOf,
  DEFAULT_IGNORE,
  usualIgnore,
  type RangeRule,
  type SchemeName,
  type Recipe,
  type Restore,
} from "#shared/recipe.ts";

/** How numbers are stored: one chip of the first step. */
export interface Format {
  scheme: SchemeName;
  bits: number;
  symmetric: boolean;
}

/** What happens to the super weights: one chip of the third step. */
export interface ArmChoice {
  restore: Restore;
  excludeFromRange: boolean;
}

/**
 * What the wizard's form holds. Every combination of the four sets is a variant; what no step shows (kept tensors,
 * overrides, activations) is carried along as it was read.
 */
export interface Draft {
  name: string;
  formats: readonly Format[];
  granularities: readonly string[];
  ranges: readonly (RangeRule | null)[];
  arms: readonly ArmChoice[];
  rest: Pick<Recipe, "ignore" | "overrides" | "activations">;
  judge: Judge;
  /** The format that the winner shall leave as; recipes it cannot hold are problems of the plan. */
  target: ExportFormat | null;
}

const NO_REST: Draft["rest"] = { ignore: [...DEFAULT_IGNORE], overrides: [], activations: null };

/** What a new sweep starts from: small enough to see something soon, with the arms that tell the story. */
export function newDraft(): Draft {
  return {
    name: "",
    formats: [4, 3].map((bits) => ({ scheme: "affine", bits, symmetric: false })),
    granularities: ["group:64", "flat:4096", "flat:16384", "tensor"],
    ranges: [null, { method: "zscore", threshold: 9 }, { method: "zscore", threshold: 5 }],
    arms: [
      { restore: "super-weights", excludeFromRange: false },
      { restore: "none", excludeFromRange: false },
    ],
    rest: NO_REST,
    judge: judgeSchema.parse({ tokens: 4096 }),
    target: null,
  };
}

/** How many variants the draft makes. */
export function countVariants(draft: Draft): number {
  return pairsOf(draft).length * draft.arms.length;
}

/** How many combinations of the four sets are no variants, because a scheme does not have the block or takes no clipping. */
export function countLeftOut(draft: Draft): number {
  const { formats, granularities, ranges, arms } = draft;
  return formats.length * granularities.length * ranges.length * arms.length - countVariants(draft);
}

/** Formats that have none of the chosen blocks, each with a block that it has. */
export function withoutGranularity({
  formats,
  granularities,
}: Draft): { format: Format; granularity: string }[] {
  return formats
    .filter(({ scheme }) => !granularities.some((granularity) => schemeHasGranularity(scheme, granularity)))
    .map((format) => ({ format, granularity: usualGranularity(format.scheme) }));
}

function usualGranularity(scheme: SchemeName): string {
  const { granularities } = SCHEMES[scheme];
  if (Array.isArray(granularities))
    return granularities.includes("group:64") ? "group:64" : String(granularities[0]);
  return typeof granularities === "string" && granularities.startsWith("group:") ? granularities : "group:64";
}

/** Every format with every block and clip that its scheme has. */
function pairsOf({
  formats,
  granularities,
  ranges,
}: Draft): { format: Format; granularity: string; range: RangeRule | null }[] {
  return formats.flatMap((format) =>
    granularities.flatMap((granularity) =>
      ranges
        .filter((range) => schemeIssues({ ...format, granularity, clips: range !== null }).length === 0)
        .map((range) => ({ format, granularity, range })),
    ),
  );
}

/**
 * The draft as a plan file: a grid over a base where the sets cross freely, otherwise a list of recipes (`nf4` beside
 * 3-bit integers has no grid). Defaults are left out, as a person would.
 */
export function toPlan(draft: Draft): Record<string, unknown> {
  const named = nameJson(draft.name);
  const judged = {
    judge: judgeJson(draft.judge),
    ...(draft.target === null ? {} : { target: draft.target }),
  };
  const fields = crossedFields(draft);
  if (fields === null) return { ...named, recipes: recipesOf(draft), ...judged };
  const base: Record<string, unknown> = restJson(draft.rest);
  const grid: Record<string, unknown[]> = {};
  for (const [key, values, normal] of fields) {
    if (values.length > 1) grid[key] = [...values];
    else if (canonicalJson(values[0]) !== canonicalJson(normal)) base[key] = values[0];
  }
  // A plan of one variant has nothing to vary, and a grid needs an axis.
  if (Object.keys(grid).length === 0) grid["granularity"] = [...draft.granularities];
  if ("granularity" in grid) delete base["granularity"];
  return { ...named, base, grid, ...judged };
}

/**
 * Reads a plan file into a draft.
 * @returns null where the wizard's form cannot say exactly the same variants; such a plan is started as it is
 * @throws KeystoneError as parsePlan
 */
export function fromPlan(input: unknown): Draft | null {
  const plan = parsePlan(input);
  const first = plan.recipes[0];
  if (!first) return null;
  const draft: Draft = {
    name: plan.name ?? "",
    formats: distinct(plan.recipes.map(({ scheme, bits, symmetric }) => ({ scheme, bits, symmetric }))),
    granularities: distinct(plan.recipes.map(({ granularity }) => granularity)),
    ranges: distinct(plan.recipes.map(({ range }) => range)),
    arms: distinct(plan.recipes.map(({ restore, excludeFromRange }) => ({ restore, excludeFromRange }))),
    rest: {
      ignore: [...ignoreOf(plan.recipes, first)],
      overrides: first.overrides,
      activations: first.activations,
    },
    judge: plan.judge,
    target: plan.target,
  };
  return sameRecipes(parsePlan(toPlan(draft)).recipes, plan.recipes) ? draft : null;
}

/** What a plan leaves alone; the usual patterns where each recipe has those of its scheme. */
function ignoreOf(recipes: readonly Recipe[], first: Recipe): readonly string[] {
  const usual = recipes.every(({ scheme, ignore }) => same(ignore, usualIgnore(scheme)));
  return usual ? DEFAULT_IGNORE : first.ignore;
}

/** What the form can say of every plan. */
type Common = Pick<Draft, "name" | "judge">;

/** Reads a plan's name and judge. @throws KeystoneError as parsePlan */
export function commonOf(input: unknown): Common {
  const { name, judge } = parsePlan(input);
  return { name: name ?? "", judge };
}

/** A plan with another name and judge; everything else stays as it was written. */
export function withCommon(plan: unknown, { name, judge }: Common): Record<string, unknown> {
  const rest = Object.entries(Object(plan) as object).filter(([key]) => key !== "name" && key !== "judge");
  return { ...nameJson(name), ...Object.fromEntries(rest), judge: judgeJson(judge) };
}

/** Whether two drafts, plans or values are written the same. */
export function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** Adds the value to a set, or takes it out. */
export function toggled<T>(set: readonly T[], value: T): T[] {
  return set.some((one) => same(one, value)) ? set.filter((one) => !same(one, value)) : [...set, value];
}

/** Each axis of the grid with its default; null where the sets do not cross freely, or some have no place in others. */
function crossedFields(draft: Draft): [key: string, values: readonly unknown[], normal: unknown][] | null {
  if (countLeftOut(draft) > 0) return null;
  const { formats, granularities, ranges, arms } = draft;
  const schemes = distinct(formats.map(({ scheme }) => scheme));
  const symmetric = distinct(formats.map((format) => format.symmetric));
  const bits = distinct(formats.map((format) => format.bits));
  const restores = distinct(arms.map(({ restore }) => restore));
  const excludeFromRange = distinct(arms.map((arm) => arm.excludeFromRange));
  if (
    schemes.length * symmetric.length * bits.length !== formats.length ||
    restores.length * excludeFromRange.length !== arms.length
  )
    return null;
  return [
    ["scheme", schemes, undefined],
    ["symmetric", symmetric, false],
    ["bits", bits, undefined],
    ["granularity", granularities, undefined],
    ["range", ranges, null],
    ["restore", restores, "none"],
    ["excludeFromRange", excludeFromRange, false],
  ];
}

function recipesOf(draft: Draft): Record<string, unknown>[] {
  return pairsOf(draft).flatMap(({ format, granularity, range }) =>
    draft.arms.map((arm) => ({
      scheme: format.scheme,
      ...(format.symmetric ? { symmetric: true } : {}),
      bits: format.bits,
      granularity,
      ...(range === null ? {} : { range }),
      ...(arm.restore === "none" ? {} : { restore: arm.restore }),
      ...(arm.excludeFromRange ? { excludeFromRange: true } : {}),
      ...restJson(draft.rest),
    })),
  );
}

function restJson({ ignore, overrides, activations }: Draft["rest"]): Record<string, unknown> {
  return {
    ...(same(ignore, DEFAULT_IGNORE) ? {} : { ignore }),
    ...(overrides.length === 0 ? {} : { overrides }),
    ...(activations === null ? {} : { activations }),
  };
}

function nameJson(name: string): { name?: string } {
  return name.trim() === "" ? {} : { name: name.trim() };
}

/** A judge without its defaults. */
function judgeJson(judge: Judge): Record<string, unknown> {
  const { windows, ...numbers } = judge;
  return { ...numbers, ...(windows === "bos" ? {} : { windows }) };
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [canonicalJson(value), value])).values()];
}

function sameRecipes(a: readonly Recipe[], b: readonly Recipe[]): boolean {
  const texts = (recipes: readonly Recipe[]): string =>
    recipes
      .map((recipe) => canonicalJson(recipe))
      .sort()
      .join("\n");
  return texts(a) === texts(b);
}

/** Whether an arm takes weights out of the range before it is computed. */
export function armName({ restore, excludeFromRange }: ArmChoice): "none" | "restored" | "held-out" {
  const arm = armOf({ range: null, restore, excludeFromRange });
  return arm === "hold-out" ? "held-out" : arm === "restore-only" ? "restored" : "none";
}
