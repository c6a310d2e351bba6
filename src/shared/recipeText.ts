import { METHODS } from "./methods/index.ts";
import { SCHEMES } from "./schemes/index.ts";
import { canonicalJson } from "./canonicalJson.ts";
import {
  usualIgnore,
  isRestored,
  type Activations,
  type RangeRule,
  type Override,
  type Recipe,
  type Restore,
} from "./recipe.ts";

/** A recipe in a few words, for tables and headings: `int4, group 64, z 9, restored`, `int8 sym, tensor, W8A8 token, naive`. */
export function recipeLabel(recipe: Recipe): string {
  return [
    schemeLabel(recipe),
    granularityLabel(recipe.granularity),
    rangeLabel(recipe.range),
    restoreLabel(recipe),
    recipe.activations ? `W${recipe.bits}${activationsLabel(recipe.activations)}` : "",
    ignoreLabel(recipe),
    overridesLabel(recipe.overrides),
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Patterns that a label spells out; of more it has a sign by which two sets of them are told apart. */
const MOST_SPELLED = 2;

/** What is left alone where that is not usual: `ignores *q_proj*`, `ignores nothing`. */
function ignoreLabel({ scheme, ignore }: Pick<Recipe, "scheme" | "ignore">): string {
  if (canonicalJson(ignore) === canonicalJson(usualIgnore(scheme))) return "";
  if (ignore.length === 0) return "ignores nothing";
  return ignore.length <= MOST_SPELLED
    ? `ignores ${ignore.join(" and ")}`
    : `ignores ${ignore.length} patterns (${signOf(ignore)})`;
}

/** `*.down_proj.weight 8 bits`, `210 overrides (3f2a)`: equal only where the overrides are. */
function overridesLabel(overrides: readonly Override[]): string {
  if (overrides.length === 0) return "";
  if (overrides.length > MOST_SPELLED) return `${overrides.length} overrides (${signOf(overrides)})`;
  return overrides.map(overrideLabel).join(", ");
}

function overrideLabel({ match, skip, scheme, bits, symmetric, granularity, range }: Override): string {
  const settings = skip
    ? ["unquantized"]
    : [
        ...(scheme === undefined ? [] : [scheme]),
        ...(bits === undefined ? [] : [`${bits} bits`]),
        ...(symmetric === undefined ? [] : [symmetric ? "symmetric" : "asymmetric"]),
        ...(granularity === undefined ? [] : [granularityLabel(granularity)]),
        ...(range === undefined ? [] : [rangeLabel(range) || "no clipping"]),
      ];
  return `${match} ${settings.join(" ")}`.trim();
}

/** Four hexadecimal digits that differ where the value does, but for one in 65,536 [FNV-1a]. */
function signOf(value: unknown): string {
  let hash = 0x811c9dc5;
  for (const letter of canonicalJson(value))
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return ((hash ^ (hash >>> 16)) & 0xffff).toString(16).padStart(4, "0");
}

/** `affine4`, `int4 sym`, `nf4`, `q4_0`, `ct4 sym` for compressed-tensors, `gptq-int4 sym` in GPTQ's layout; the method where it is not to nearest. */
export function schemeLabel(
  recipe: Pick<Recipe, "scheme" | "bits" | "symmetric"> & Partial<Pick<Recipe, "method">>,
): string {
  const { bits, short = recipe.scheme } = SCHEMES[recipe.scheme];
  const base = bits.length === 1 ? short : `${short}${recipe.bits}`;
  const method = recipe.method && METHODS[recipe.method].label;
  return [base, recipe.symmetric ? "sym" : "", method ?? ""].filter((part) => part !== "").join(" ");
}

/** `group 64`, `channel`, `flat 16,384`, `tile 128 × 128`. */
export function granularityLabel(granularity: string): string {
  const [kind = "", size] = granularity.split(":");
  if (size === undefined) return kind;
  const numbers = size.split("x").map((n) => Number(n).toLocaleString("en-US"));
  return `${kind} ${numbers.join(" × ")}`;
}

/** `z 9`, `top 0.01 of block`, `iqr 3`, `mse`, or nothing. */
export function rangeLabel(range: RangeRule | null): string {
  if (!range) return "";
  switch (range.method) {
    case "zscore":
      return `z ${range.threshold}`;
    case "block-percentage":
      return `top ${range.threshold} of block`;
    case "tensor-percentage":
      return `top ${range.threshold} of tensor`;
    case "iqr":
      return `iqr ${range.threshold}`;
    case "mse":
      return "mse";
  }
}

/** `restored`, `held out`, or nothing. */
export function restoreLabel(recipe: { restore: Restore; excludeFromRange: boolean }): string {
  const { restore } = recipe;
  if (!isRestored(recipe)) return "";
  const what = typeof restore === "object" && !Array.isArray(restore) ? `largest ${restore.largest} ` : "";
  return recipe.excludeFromRange ? `${what}held out` : `${what}restored`;
}

/** `A8 token, super activation`, `A8 tensor with matmuls, SmoothQuant 0.85`. */
export function activationsLabel(activations: Activations): string {
  const { bits, per, matmuls } = activations;
  return `A${bits} ${per}${matmuls ? " with matmuls" : ""}, ${methodLabel(activations)}`;
}

function methodLabel({ method, alpha }: Activations): string {
  if (method === "smoothquant") return `SmoothQuant ${alpha}`;
  return method === "naive" ? "naive" : "super activation";
}
