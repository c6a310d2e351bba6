import { z } from "zod";
import { canonicalJson } from "./canonicalJson.ts";
import { KeystoneError } from "./errors.ts";
import { exportFormat, type ExportFormat } from "./exporting.ts";
import { planInNewWords } from "./oldWords.ts";
import { RECIPE_KEYS, recipe, type Recipe } from "./recipe.ts";

/**
 * How windows are cut from the text. `bos` is Keystone's own; the others follow GPTQ, lm-eval (`rolling` with one BOS, `lm-eval` to
 * the letter) and llama.cpp.
 */
export const windowConvention = z.enum(["bos", "gptq", "rolling", "lm-eval", "llama.cpp"]);
export type WindowConvention = z.infer<typeof windowConvention>;

/**
 * What becomes of the rows of a text: each a document (`rows`), one document joined by blank lines (`blank-line`) or by nothing
 * (`concat`), or WikiText's articles as lm-eval prepares them (`articles`).
 */
export const rowJoin = z.enum(["rows", "blank-line", "concat", "articles"]);
export type RowJoin = z.infer<typeof rowJoin>;

/** How each convention's authors join rows; what holds where nothing else is asked for. */
export const USUAL_JOIN: Readonly<Record<WindowConvention, RowJoin>> = {
  bos: "rows",
  gptq: "blank-line",
  rolling: "rows",
  "lm-eval": "rows",
  "llama.cpp": "concat",
};

/** What a convention can do with rows: GPTQ's and llama.cpp's windows are cut from one text. */
export function joinsOf(windows: WindowConvention): readonly RowJoin[] {
  return windows === "gptq" || windows === "llama.cpp" ? ["blank-line", "concat"] : rowJoin.options;
}

/**
 * How each variant is judged. Defaults: context = min(2048, the model's), tokens = the whole text, windows = bos, join = the
 * convention's own.
 */
export const judge = z.strictObject({
  context: z.number().int().min(2).max(1_048_576).optional(),
  stride: z.number().int().min(1).optional(),
  tokens: z.number().int().min(1).optional(),
  windows: windowConvention.default("bos"),
  join: rowJoin.optional(),
});
export type Judge = z.infer<typeof judge>;

const recipeFields = z.record(z.string(), z.unknown());

/** The two forms of a plan: a grid over a base, or a list of recipes. */
const planForms = z.union([
  z.strictObject({
    name: z.string().max(200).optional(),
    base: recipeFields.default({}),
    grid: z.record(z.string(), z.array(z.unknown()).min(1)),
    judge: judge.optional(),
    /** The format that the winner shall leave as: recipes it cannot hold are refused before anything runs. */
    target: exportFormat.optional(),
  }),
  z.strictObject({
    name: z.string().max(200).optional(),
    recipes: z.array(recipeFields).min(1),
    judge: judge.optional(),
    target: exportFormat.optional(),
  }),
]);

/** A plan as written, and how each of its recipes is judged. */
export const planFile = z.preprocess(planInNewWords, planForms);
export type PlanFile = z.infer<typeof planFile>;

/** A plan with its grid multiplied out, every recipe checked, duplicates dropped. */
export interface Plan {
  name: string | null;
  recipes: Recipe[];
  judge: Judge;
  target: ExportFormat | null;
}

/** The most variants one plan may hold: past it a typing error is likelier than an intention. */
export const MAX_VARIANTS = 100_000;

/**
 * Reads a plan: multiplies out the grid in the order its keys are written (the last key varies fastest),
 * merges each point over the base and checks every recipe whole.
 * A combination that contradicts itself only because the grid crosses it (excludeFromRange without restore) is an error too,
 * named by its position, so that nothing is dropped in silence.
 * @throws KeystoneError plan/invalid, plan/too-large, recipe/invalid
 */
export function parsePlan(input: unknown): Plan {
  const parsed = planFile.safeParse(input);
  if (!parsed.success) {
    throw new KeystoneError(
      "plan/invalid",
      `The plan is not valid: ${describeIssues(planIssues(input, parsed.error))}.`,
      'Write { "base": {…}, "grid": {…}, "judge": {…} } or { "recipes": […], "judge": {…} }.',
    );
  }
  const plan = parsed.data;
  const inputs = "grid" in plan ? multiply(plan.base, plan.grid) : plan.recipes;
  const recipes = unique(inputs.map((fields, i) => parseRecipe(fields, `recipe ${i + 1} of the plan`)));
  return {
    name: plan.name ?? null,
    recipes,
    judge: plan.judge ?? judge.parse({}),
    target: plan.target ?? null,
  };
}

/** The issues of the form (grid or list) that was meant, judged by which key is there. */
function planIssues(input: unknown, fallback: z.ZodError): z.core.$ZodIssue[] {
  const isList = typeof input === "object" && input !== null && "recipes" in input;
  const form = z.preprocess(planInNewWords, planForms.options[isList ? 1 : 0]).safeParse(input);
  return form.success ? fallback.issues : form.error.issues;
}

function multiply(base: Record<string, unknown>, grid: Record<string, unknown[]>): Record<string, unknown>[] {
  for (const key of Object.keys(grid)) {
    if (!RECIPE_KEYS.includes(key)) {
      throw new KeystoneError(
        "plan/unknown-axis",
        `The plan's grid varies "${key}", which is not a field of a recipe.`,
        `Vary one of ${RECIPE_KEYS.join(", ")}.`,
        { key },
      );
    }
  }
  const count = Object.values(grid).reduce((product, values) => product * values.length, 1);
  if (count > MAX_VARIANTS) {
    throw new KeystoneError(
      "plan/too-large",
      `The plan's grid has ${count.toLocaleString("en-US")} combinations; at most ${MAX_VARIANTS.toLocaleString("en-US")} are accepted.`,
      "Shorten one of the grid's lists.",
      { count },
    );
  }
  let points: Record<string, unknown>[] = [base];
  for (const [key, values] of Object.entries(grid)) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [key]: value })));
  }
  return points;
}

function unique(recipes: Recipe[]): Recipe[] {
  return [...new Map(recipes.map((r) => [canonicalJson(r), r])).values()];
}

/**
 * Checks a recipe whole and fills its defaults.
 * @param where named in the error, e.g. a file name
 * @throws KeystoneError recipe/invalid
 */
export function parseRecipe(input: unknown, where = "the recipe"): Recipe {
  const parsed = recipe.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new KeystoneError(
    "recipe/invalid",
    `In ${where}: ${describeIssues(parsed.error.issues)}.`,
    'A recipe needs at least "scheme", "bits" and "granularity", e.g. { "scheme": "int", "bits": 4, "granularity": "group:64" }.',
    { where },
  );
}

/**
 * Zod's issues as one clause: `bits: expected at most 8; block: is missing` (at most three).
 * @param nameOf how a place is called where people know it by another name than the path to it
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  nameOf: (path: readonly PropertyKey[]) => string = (path) => path.map(String).join("."),
): string {
  const said = issues.slice(0, 3).map((issue) => {
    const path = nameOf(issue.path);
    return path ? `${path}: ${describeIssue(issue)}` : describeIssue(issue);
  });
  const more = issues.length > 3 ? ` and ${issues.length - 3} more` : "";
  return said.join("; ") + more;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys")
    return `unknown key ${issue.keys.map((key) => `"${key}"`).join(", ")}`;
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) return "is missing";
  // Words of our own schemas are better than any made up here.
  if (issue.code === "too_big" && issue.message.startsWith("Too big"))
    return `expected ${issue.inclusive === false ? "less than" : "at most"} ${amount(issue.maximum, issue.origin)}`;
  if (issue.code === "too_small" && issue.message.startsWith("Too small"))
    return `expected ${issue.inclusive === false ? "more than" : "at least"} ${amount(issue.minimum, issue.origin)}`;
  if (issue.code === "invalid_value" && issue.message.startsWith("Invalid option"))
    return `expected one of ${issue.values.map(String).join(", ")}`;
  return issue.message.replace(/^Invalid input: /, "");
}

/** `8`, `3 entries`, `200 characters`. */
function amount(value: number | bigint, origin: string): string {
  const number = value.toLocaleString("en-US");
  if (origin === "array" || origin === "set") return `${number} ${number === "1" ? "entry" : "entries"}`;
  if (origin === "string") return `${number} ${number === "1" ? "character" : "characters"}`;
  return number;
}
