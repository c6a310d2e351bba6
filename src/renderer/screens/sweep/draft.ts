import { codecHasBlock, codecIssues, CODECS } from "#shared/codecs.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import { canonicalJson, judge as judgeSchema, parsePlan, type Judge } from "#shared/plan.ts";
import { armOf, DEFAULT_KEEP, type Clip, type CodecName, type Recipe, type Restore } from "#shared/recipe.ts";

/** How numbers are stored: one chip of the first step. */
export interface Format {
  codec: CodecName;
  bits: number;
  symmetric: boolean;
}

/** What happens to the super weights: one chip of the third step. */
export interface ArmChoice {
  restore: Restore;
  holdOut: boolean;
}

/**
 * What the wizard's form holds. Every combination of the four sets is a variant; what no step shows (kept tensors,
 * overrides, activations) is carried along as it was read.
 */
export interface Draft {
  name: string;
  formats: readonly Format[];
  blocks: readonly string[];
  clips: readonly (Clip | null)[];
  arms: readonly ArmChoice[];
  rest: Pick<Recipe, "keep" | "overrides" | "activations">;
  judge: Judge;
  /** The format that the winner shall leave as; recipes it cannot hold are problems of the plan. */
  target: ExportFormat | null;
}

const NO_REST: Draft["rest"] = { keep: [...DEFAULT_KEEP], overrides: [], activations: null };

/** What a new sweep starts from: small enough to see something soon, with the arms that tell the story. */
export function newDraft(): Draft {
  return {
    name: "",
    formats: [4, 3].map((bits) => ({ codec: "rtn", bits, symmetric: false })),
    blocks: ["group:64", "flat:4096", "flat:16384", "tensor"],
    clips: [null, { method: "zscore", threshold: 9 }, { method: "zscore", threshold: 5 }],
    arms: [
      { restore: "super-weights", holdOut: false },
      { restore: "none", holdOut: false },
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

/** How many combinations of the four sets are no variants, because a codec does not have the block or takes no clip. */
export function countLeftOut(draft: Draft): number {
  const { formats, blocks, clips, arms } = draft;
  return formats.length * blocks.length * clips.length * arms.length - countVariants(draft);
}

/** Formats that have none of the chosen blocks, each with a block that it has. */
export function withoutBlock({ formats, blocks }: Draft): { format: Format; block: string }[] {
  return formats
    .filter(({ codec }) => !blocks.some((block) => codecHasBlock(codec, block)))
    .map((format) => ({ format, block: usualBlock(format.codec) }));
}

function usualBlock(codec: CodecName): string {
  const { blocks } = CODECS[codec];
  if (Array.isArray(blocks)) return blocks.includes("group:64") ? "group:64" : String(blocks[0]);
  return typeof blocks === "string" && blocks.startsWith("group:") ? blocks : "group:64";
}

/** Every format with every block and clip that its codec has. */
function pairsOf({ formats, blocks, clips }: Draft): { format: Format; block: string; clip: Clip | null }[] {
  return formats.flatMap((format) =>
    blocks.flatMap((block) =>
      clips
        .filter((clip) => codecIssues({ ...format, block, clips: clip !== null }).length === 0)
        .map((clip) => ({ format, block, clip })),
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
  if (Object.keys(grid).length === 0) grid["block"] = [...draft.blocks];
  if ("block" in grid) delete base["block"];
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
    formats: distinct(plan.recipes.map(({ codec, bits, symmetric }) => ({ codec, bits, symmetric }))),
    blocks: distinct(plan.recipes.map(({ block }) => block)),
    clips: distinct(plan.recipes.map(({ clip }) => clip)),
    arms: distinct(plan.recipes.map(({ restore, holdOut }) => ({ restore, holdOut }))),
    rest: { keep: first.keep, overrides: first.overrides, activations: first.activations },
    judge: plan.judge,
    target: plan.target,
  };
  return sameRecipes(parsePlan(toPlan(draft)).recipes, plan.recipes) ? draft : null;
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
  const { formats, blocks, clips, arms } = draft;
  const codecs = distinct(formats.map(({ codec }) => codec));
  const symmetric = distinct(formats.map((format) => format.symmetric));
  const bits = distinct(formats.map((format) => format.bits));
  const restores = distinct(arms.map(({ restore }) => restore));
  const holdOut = distinct(arms.map((arm) => arm.holdOut));
  if (
    codecs.length * symmetric.length * bits.length !== formats.length ||
    restores.length * holdOut.length !== arms.length
  )
    return null;
  return [
    ["codec", codecs, undefined],
    ["symmetric", symmetric, false],
    ["bits", bits, undefined],
    ["block", blocks, undefined],
    ["clip", clips, null],
    ["restore", restores, "none"],
    ["holdOut", holdOut, false],
  ];
}

function recipesOf(draft: Draft): Record<string, unknown>[] {
  return pairsOf(draft).flatMap(({ format, block, clip }) =>
    draft.arms.map((arm) => ({
      codec: format.codec,
      ...(format.symmetric ? { symmetric: true } : {}),
      bits: format.bits,
      block,
      ...(clip === null ? {} : { clip }),
      ...(arm.restore === "none" ? {} : { restore: arm.restore }),
      ...(arm.holdOut ? { holdOut: true } : {}),
      ...restJson(draft.rest),
    })),
  );
}

function restJson({ keep, overrides, activations }: Draft["rest"]): Record<string, unknown> {
  return {
    ...(same(keep, DEFAULT_KEEP) ? {} : { keep }),
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
export function armName({ restore, holdOut }: ArmChoice): "none" | "restored" | "held-out" {
  const arm = armOf({ clip: null, restore, holdOut });
  return arm === "hold-out" ? "held-out" : arm === "restore-only" ? "restored" : "none";
}
