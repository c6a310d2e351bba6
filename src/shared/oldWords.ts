import type { z } from "zod";
import { canonicalJson } from "./canonicalJson.ts";

/*
 * The words in which recipes, plans and experiments were first written. What is written in them stays readable, programs find them in
 * the command line's JSON, and ids are made from them, so that kept runs keep theirs. No other file knows these words.
 */

/** Fields of a recipe and of an override: the word of then, and today's. */
const FIELDS: Words = {
  codec: "scheme",
  block: "granularity",
  clip: "range",
  holdOut: "excludeFromRange",
  keep: "ignore",
};

/** Fields of experiments, which name blocks and clips as recipes did. */
const LAB_FIELDS: Words = { block: "granularity", blocks: "granularities", clip: "range" };

/** Schemes that were called by a method: `rtn` is how every scheme rounds, and GPTQ and AWQ are algorithms. */
const SCHEMES: Words = { rtn: "affine", gptq: "gptq-int", awq: "awq-int" };

type Words = Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;
/** A recipe, of whose fields this file looks at the names alone. */
interface AnyRecipe {
  readonly method: string;
  readonly overrides: readonly object[];
}
type Context = Pick<z.RefinementCtx, "addIssue">;

/** A recipe in today's words, whichever it was written in. A field that is there in both and says two things is an issue. */
export function recipeInNewWords(input: unknown, context: Context): unknown {
  if (!isFields(input)) return input;
  const recipe = renamed(input, FIELDS, context);
  const { overrides } = recipe;
  if (!Array.isArray(overrides)) return recipe;
  return { ...recipe, overrides: overridesInNewWords(overrides, context) };
}

/** A plan in today's words: its base, its list, and the axes of its grid. */
export function planInNewWords(input: unknown, context: Context): unknown {
  if (!isFields(input)) return input;
  const { base, recipes, grid } = input;
  return {
    ...input,
    ...(base === undefined ? {} : { base: recipeInNewWords(base, context) }),
    ...(Array.isArray(recipes) ? { recipes: recipes.map((one) => recipeInNewWords(one, context)) } : {}),
    ...(isFields(grid) ? { grid: gridInNewWords(grid, context) } : {}),
  };
}

/** An experiment's request or report in today's words. */
export function labInNewWords(input: unknown, context: Context): unknown {
  if (!isFields(input)) return input;
  const lab = renamed(input, LAB_FIELDS, context);
  for (const list of ["cells", "trials"]) {
    const rows = lab[list];
    if (!Array.isArray(rows)) continue;
    lab[list] = rows.map((row: unknown) => (isFields(row) ? renamed(row, LAB_FIELDS, context) : row));
  }
  return lab;
}

/** Today's word for a recipe's field, whichever word is given. */
export function newFieldName(name: string): string {
  return Object.hasOwn(FIELDS, name) ? (FIELDS[name] ?? name) : name;
}

/** A recipe as it was written then: the form that ids and hashes are made of. What there was no word for is there where it is not usual. */
export function recipeInOldWords({ method, overrides, ...recipe }: AnyRecipe): Record<string, unknown> {
  return {
    ...inOldWords({ ...recipe }),
    overrides: overrides.map((one) => inOldWords({ ...one })),
    ...(method === "rtn" ? {} : { method }),
  };
}

/**
 * A copy of a document for programs, in which everything said in today's words is said in those of then too: a program that reads
 * `codec` finds it beside `scheme`. Such a recipe is read as any other.
 */
export function withOldWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withOldWords);
  if (!isFields(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withOldWords(inner)]));
  for (const [old, now] of Object.entries({ ...FIELDS, ...LAB_FIELDS })) {
    if (Object.hasOwn(value, now) && !Object.hasOwn(value, old) && isMeant(now, value))
      copy[old] = oldValue(now, copy[now]);
  }
  return copy;
}

/** Whether a key of any document is the field of that name, and not another thing so called. */
function isMeant(field: string, { [field]: found, ...others }: Fields): boolean {
  if (field === "range") return found === null || (isFields(found) && typeof found["method"] === "string");
  if (field === "ignore") return Array.isArray(found) && Object.hasOwn(others, "scheme");
  return true;
}

function inOldWords(fields: Fields): Record<string, unknown> {
  const old: Record<string, unknown> = { ...fields };
  for (const [then, now] of Object.entries(FIELDS)) {
    if (!Object.hasOwn(old, now)) continue;
    old[then] = oldValue(now, old[now]);
    Reflect.deleteProperty(old, now);
  }
  return old;
}

function oldValue(field: string, value: unknown): unknown {
  if (field !== "scheme") return value;
  return Object.entries(SCHEMES).find(([, now]) => now === value)?.[0] ?? value;
}

function newValue(field: string, value: unknown): unknown {
  return field === "scheme" && typeof value === "string" && Object.hasOwn(SCHEMES, value)
    ? SCHEMES[value]
    : value;
}

function overridesInNewWords(overrides: readonly unknown[], context: Context): unknown[] {
  return overrides.map((one) => (isFields(one) ? renamed(one, FIELDS, context) : one));
}

/** Axes renamed, in the order in which they are crossed. */
function gridInNewWords(grid: Fields, context: Context): Record<string, unknown> {
  const axes: [string, unknown][] = [];
  for (const [key, values] of Object.entries(grid)) {
    const now = newFieldName(key);
    if (now !== key && Object.hasOwn(grid, now)) context.addIssue(twice(key, now));
    if (!Array.isArray(values)) axes.push([now, values]);
    else if (key === "overrides")
      axes.push([
        now,
        values.map((one: unknown) => (Array.isArray(one) ? overridesInNewWords(one, context) : one)),
      ]);
    else axes.push([now, now === key ? values : values.map((one: unknown) => newValue(now, one))]);
  }
  return Object.fromEntries(axes);
}

/** The fields under today's names. */
function renamed(fields: Fields, words: Words, context: Context): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    const now = Object.hasOwn(words, key) ? (words[key] ?? key) : key;
    if (now === key) {
      out[key] = value;
      continue;
    }
    const found = newValue(now, value);
    if (Object.hasOwn(fields, now) && canonicalJson(fields[now]) !== canonicalJson(found))
      context.addIssue(twice(key, now));
    out[now] = Object.hasOwn(fields, now) ? fields[now] : found;
  }
  return out;
}

function twice(old: string, now: string): { code: "custom"; path: string[]; message: string } {
  return { code: "custom", path: [now], message: `is given twice, as "${old}" (its earlier name) too` };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
