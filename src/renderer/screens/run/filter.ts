import { newFieldName } from "#shared/oldWords.ts";
import { isRestored, parseGranularity } from "#shared/recipe.ts";
import type { VariantResult } from "#shared/run.ts";

/** What a filter knows beside the result itself. */
export interface FilterContext {
  baselinePerplexity: number | null;
  isPinned: (id: string) => boolean;
  isOnFront: (id: string) => boolean;
}

/** A filter as read: what it lets through, and the words it did not understand. */
export interface Filter<Row> {
  test: (row: Row) => boolean;
  unknown: readonly string[];
}

/** How a row is read: its fields by name, whether a word holds, and its text. */
export interface Terms<Row> {
  field: (name: string) => ((row: Row) => number | string | null) | undefined;
  word: (word: string) => ((row: Row) => boolean) | undefined;
  label: (row: Row) => string;
}

type Value = (result: VariantResult, context: FilterContext) => number | string | null;

const FIELDS: Record<string, Value> = {
  bits: ({ recipe }) => recipe.bits,
  scheme: ({ recipe }) => recipe.scheme,
  granularity: ({ recipe }) => granularityValue(recipe.granularity),
  range: ({ recipe }) =>
    recipe.range === null
      ? "none"
      : "threshold" in recipe.range
        ? recipe.range.threshold
        : recipe.range.method,
  z: ({ recipe }) => (recipe.range?.method === "zscore" ? recipe.range.threshold : null),
  bpw: ({ bitsPerWeight }) => bitsPerWeight,
  perplexity: ({ perplexity }) => perplexity,
  delta: ({ perplexity }, { baselinePerplexity }) =>
    perplexity === null || baselinePerplexity === null ? null : perplexity - baselinePerplexity,
  kl: ({ kl }) => kl?.mean ?? null,
  agreement: ({ kl }) => (kl?.topAgreement == null ? null : kl.topAgreement * 100),
  sqnr: ({ sqnrDb }) => sqnrDb,
  time: ({ seconds }) => seconds,
  status: ({ status }) => status,
  worker: ({ worker }) => worker,
};
const ALIASES: Record<string, string> = {
  ppl: "perplexity",
  Δ: "delta",
  "bits/weight": "bpw",
  "same next token": "agreement",
  seconds: "time",
};

const WORDS: Record<string, (result: VariantResult, context: FilterContext) => boolean> = {
  restored: ({ recipe }) => isRestored(recipe) && !recipe.excludeFromRange,
  "not restored": ({ recipe }) => !isRestored(recipe),
  "held out": ({ recipe }) => recipe.excludeFromRange,
  symmetric: ({ recipe }) => recipe.symmetric,
  asymmetric: ({ recipe }) => !recipe.symmetric,
  clipped: ({ recipe }) => recipe.range !== null,
  "no clipping": ({ recipe }) => recipe.range === null,
  "no clip": ({ recipe }) => recipe.range === null,
  pinned: ({ id }, context) => context.isPinned(id),
  "on the front": ({ id }, context) => context.isOnFront(id),
  front: ({ id }, context) => context.isOnFront(id),
  done: ({ status }) => status === "done",
  failed: ({ status }) => status === "failed",
  running: ({ status }) => status === "running",
  waiting: ({ status }) => status === "waiting",
  cancelled: ({ status }) => status === "cancelled",
};

const COMPARISONS: Record<string, (a: number, b: number) => boolean> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "≠": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  "≤": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
  "≥": (a, b) => a >= b,
};

/**
 * Reads a filter: terms joined by commas, all of which must hold. A term is `field op value` (`bits = 4`, `kl < 0.01`,
 * `granularity = tensor`), a word (`restored`, `failed`, `pinned`) or a piece of the variant's label.
 */
export function readFilter(text: string, context: FilterContext): Filter<VariantResult> {
  return readTerms(text, resultTerms(context));
}

/** The terms of a variant alone. */
export function resultTerms(context: FilterContext): Terms<VariantResult> {
  return {
    field: (name) => {
      const value = named(FIELDS, ALIASES[name] ?? newFieldName(name));
      return value && ((result) => value(result, context));
    },
    word: (word) => {
      const holdsFor = named(WORDS, word);
      return holdsFor && ((result) => holdsFor(result, context));
    },
    label: ({ label }) => label,
  };
}

/** Reads a filter over rows of any kind. */
export function readTerms<Row>(text: string, of: Terms<Row>): Filter<Row> {
  const unknown: string[] = [];
  const tests = terms(text).map((term) => readTerm(term, of, unknown));
  return { test: (row) => tests.every((test) => test(row)), unknown };
}

/** Splits at commas, but not at those of thousands (`flat 16,384`). */
function terms(text: string): string[] {
  return text
    .split(/,(?!\d{3}(?!\d))/)
    .map((term) => term.trim().replaceAll(/\s+/g, " "))
    .filter((term) => term !== "");
}

function readTerm<Row>(term: string, of: Terms<Row>, unknown: string[]): (row: Row) => boolean {
  const lower = term.toLowerCase();
  const word = of.word(lower);
  if (word) return word;
  const parts = /^(.+?)\s*(<=|>=|!=|[=<>≤≥≠])\s*(.+)$/.exec(lower);
  if (!parts) return (row) => of.label(row).toLowerCase().includes(lower);
  const [, name = "", operator = "", wanted = ""] = parts;
  const value = of.field(name);
  if (!value) {
    unknown.push(name);
    return () => true;
  }
  return (row) => holds(value(row), operator, wanted);
}

function named<T>(table: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function holds(found: number | string | null, operator: string, wanted: string): boolean {
  const number = Number(wanted.replaceAll(",", "").replace("−", "-").replace(/^z /, ""));
  if (typeof found === "number" && !Number.isNaN(number))
    return COMPARISONS[operator]?.(found, number) ?? false;
  const same = String(found ?? "none") === wanted.replace(/^(off|no clip(ping)?)$/, "none");
  return operator === "!=" || operator === "≠" ? !same : operator === "=" && same;
}

/** Weights that share a scale where the block says so, else its word. */
function granularityValue(text: string): number | string {
  const granularity = parseGranularity(text);
  if (granularity.kind === "tile") return granularity.rows * granularity.columns;
  return "size" in granularity ? granularity.size : granularity.kind;
}
