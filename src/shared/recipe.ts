import { z } from "zod";
import { methodIssue, methodName, type MethodName } from "./methods/index.ts";
import { recipeInNewWords } from "./oldWords.ts";
import { schemeIssues, schemeName, SCHEMES, type SchemeName } from "./schemes/index.ts";

export { schemeName, type SchemeName };

/** The weights that share one scale, as written in a recipe: `group:64`, `channel`, `tensor`, `flat:16384`, `tile:128x128`. */
export const granularityText = z
  .string()
  .regex(/^(group:[1-9]\d{0,9}|channel|tensor|flat:[1-9]\d{0,11}|tile:[1-9]\d{0,6}x[1-9]\d{0,6})$/, {
    message: 'A granularity is "group:N", "channel", "tensor", "flat:N" or "tile:RxC"',
  });

export type Granularity =
  | { kind: "group"; size: number }
  | { kind: "channel" }
  | { kind: "tensor" }
  | { kind: "flat"; size: number }
  | { kind: "tile"; rows: number; columns: number };

/** Reads a granularity as written in a recipe. The text must already have passed {@link granularityText}. */
export function parseGranularity(text: string): Granularity {
  const [kind, size = ""] = text.split(":");
  if (kind === "group" || kind === "flat") return { kind, size: Number(size) };
  if (kind === "tile") {
    const [rows, columns] = size.split("x").map(Number);
    return { kind, rows: rows ?? 0, columns: columns ?? 0 };
  }
  return { kind: kind as "channel" | "tensor" };
}

const positive = z.number().positive();
const fraction = z.number().min(0).max(1);

/** How a block's range is cut before the scale is taken. Thresholds: z, k, or a fraction of the weights. */
export const rangeRule = z.discriminatedUnion("method", [
  z.strictObject({ method: z.literal("zscore"), threshold: positive }),
  z.strictObject({ method: z.literal("block-percentage"), threshold: fraction }),
  z.strictObject({ method: z.literal("tensor-percentage"), threshold: fraction }),
  z.strictObject({ method: z.literal("iqr"), threshold: positive }),
  z.strictObject({ method: z.literal("mse") }),
]);
export type RangeRule = z.infer<typeof rangeRule>;

const index = z.number().int().nonnegative();

/**
 * `[layer, row, column]` of one `down_proj` weight; row = output channel, column = input channel. In a layer with experts a fourth
 * number says whose down_proj: `[layer, row, column, expert]`.
 */
export const coordinate = z.tuple([index, index, index, index.optional()]);
export type Coordinate = z.infer<typeof coordinate>;

/** A weight of a `down_proj` by its parts. */
export interface WeightPlace {
  readonly layer: number;
  readonly row: number;
  readonly column: number;
  /** Whose down_proj, in a layer with experts. */
  readonly expert?: number | undefined;
}

/** Where a weight of a `down_proj` lies. */
export function coordinateOf({ layer, row, column, expert }: WeightPlace): Coordinate {
  return expert === undefined ? [layer, row, column] : [layer, row, column, expert];
}

/** Which weights are put back exactly after dequantization. */
export const restore = z.union([
  z.literal("none"),
  z.literal("super-weights"),
  z.strictObject({ largest: z.number().int().positive() }),
  z.array(coordinate),
]);
export type Restore = z.infer<typeof restore>;

const bits = z.number().int().min(2).max(16);

/** Other settings for the tensors whose name matches; the first match wins. `skip` leaves them unquantized. */
export const override = z
  .strictObject({
    match: z.string().min(1),
    skip: z.boolean().optional(),
    scheme: schemeName.optional(),
    bits: bits.optional(),
    symmetric: z.boolean().optional(),
    granularity: granularityText.optional(),
    range: rangeRule.nullable().optional(),
  })
  .refine((o) => Object.keys(o).length > 1, {
    message: "An override needs at least one setting beside match",
  });
export type Override = z.infer<typeof override>;

/** How the inputs of the linears are quantized (W8A8 and the like). */
export const activations = z.strictObject({
  bits: bits.max(8).default(8),
  per: z.enum(["token", "tensor"]),
  matmuls: z.boolean().default(false),
  method: z.enum(["naive", "super-activation", "smoothquant"]),
  alpha: z.number().min(0).max(1).default(0.85),
});
export type Activations = z.infer<typeof activations>;

/** Tensors left alone unless a recipe says otherwise: the output head and the embedding table. */
export const DEFAULT_IGNORE: readonly string[] = ["*lm_head*", "*embed_tokens*"];

const recipeShape = z.strictObject({
  scheme: schemeName,
  bits,
  symmetric: z.boolean().default(false),
  granularity: granularityText,
  range: rangeRule.nullable().default(null),
  method: methodName.default("rtn"),
  restore: restore.default("none"),
  excludeFromRange: z.boolean().default(false),
  ignore: z.array(z.string().min(1)).default([...DEFAULT_IGNORE]),
  overrides: z.array(override).default([]),
  activations: activations.nullable().default(null),
});

/** The keys of a recipe, for plans whose base and grid are merged before they are checked. */
export const RECIPE_KEYS = Object.keys(recipeShape.shape);

/** A recipe as written, its defaults filled: bits and granularity may be left out where the scheme has no choice of them. */
const recipeAsWritten = recipeShape.extend({
  bits: bits.optional(),
  granularity: granularityText.optional(),
  ignore: z.array(z.string().min(1)).optional(),
});

/** The one description of a recipe. Unknown keys are refused, defaults are filled, `restore: []` means none. */
export const recipe = z.preprocess(recipeInNewWords, recipeAsWritten).transform((written, context) => {
  const only = onlyChoices(written.scheme);
  const whole = {
    ...written,
    bits: written.bits ?? only.bits,
    granularity: written.granularity ?? only.granularity,
    ignore: written.ignore ?? usualIgnore(written.scheme),
  };
  const { bits: ownBits, granularity: ownGranularity } = whole;
  for (const field of ["bits", "granularity"] as const)
    if (whole[field] === undefined)
      context.addIssue({ code: "custom", path: [field], message: "is missing" });
  if (ownBits === undefined || ownGranularity === undefined) return z.NEVER;
  const value = { ...whole, bits: ownBits, granularity: ownGranularity };
  checkWhole(value, context, written.granularity !== undefined);
  return value;
});
export type Recipe = z.infer<typeof recipe>;

/** A recipe as people write it: only `scheme` is required, and `bits` and `granularity` where the scheme has several. */
export type RecipeInput = z.input<typeof recipeAsWritten>;

/** What a recipe leaves alone that does not say: a mix has types of its own for embedding and head. */
export function usualIgnore(scheme: SchemeName): string[] {
  return SCHEMES[scheme].mix === undefined ? [...DEFAULT_IGNORE] : [];
}

/** Bits and block where a scheme leaves no choice of them: `f16` is 16 bits, of whatever block; `q4_0` 4 bits in groups of 32. */
function onlyChoices(scheme: SchemeName): { bits: number | undefined; granularity: string | undefined } {
  const { bits: some, granularities, rounds } = SCHEMES[scheme];
  const ofFormat =
    typeof granularities === "string" && granularities.startsWith("group:") ? granularities : undefined;
  return { bits: some.length === 1 ? some[0] : undefined, granularity: rounds ? "tensor" : ofFormat };
}

/** What contradicts itself in a recipe. @param hasBlock whether the recipe names one, which its overrides then take over */
function checkWhole(
  value: z.infer<typeof recipeShape>,
  context: Pick<z.RefinementCtx, "addIssue">,
  hasBlock: boolean,
): void {
  checkScheme({ ...value, clips: value.range !== null }, context, []);
  if (value.excludeFromRange && !isRestored(value)) {
    context.addIssue({
      code: "custom",
      path: ["excludeFromRange"],
      message: "excludeFromRange takes the weights named in restore out of the range; name them in restore",
    });
  }
  value.overrides.forEach((o, i) => {
    const scheme = o.scheme ?? value.scheme;
    const merged = {
      scheme,
      bits: o.bits ?? value.bits,
      symmetric: o.symmetric ?? inheritedSymmetric(value, o),
      granularity: o.granularity ?? value.granularity,
      method: value.method,
      // a clip of the whole recipe passes over tensors that have no range
      clips: Boolean(o.range),
    };
    if (!hasBlock && o.granularity === undefined && onlyChoices(scheme).granularity !== value.granularity)
      context.addIssue({ code: "custom", path: ["overrides", i, "granularity"], message: "is missing" });
    else if (!o.skip) checkScheme(merged, context, ["overrides", i]);
  });
}

/** What an override takes over of `symmetric`: nothing where its scheme has no such choice. */
export function inheritedSymmetric(
  recipe: { symmetric: boolean; scheme: SchemeName },
  override: Pick<Override, "scheme"> | undefined,
): boolean {
  return recipe.symmetric && SCHEMES[override?.scheme ?? recipe.scheme].symmetric;
}

function checkScheme(
  value: Parameters<typeof schemeIssues>[0] & { method: MethodName },
  context: Pick<z.RefinementCtx, "addIssue">,
  path: (string | number)[],
): void {
  for (const { field, message } of schemeIssues(value))
    context.addIssue({ code: "custom", path: [...path, field], message });
  const message = methodIssue(value.method, value.scheme);
  if (message !== null) context.addIssue({ code: "custom", path: [...path, "scheme"], message });
}

/** Whether a recipe's scales are chosen on a calibration text. */
export function needsCalibration({ activations }: Pick<Recipe, "activations">): boolean {
  return activations?.method === "smoothquant";
}

/** Whether a recipe speaks of the model's super weights without naming them. */
export function needsSuperWeights({
  restore,
  activations,
}: Pick<Recipe, "restore" | "activations">): boolean {
  return restore === "super-weights" || activations?.method === "super-activation";
}

/** What happens to a tensor's outliers; five different experiments that results must tell apart. */
export type Arm = "plain" | "clip" | "clip-restore" | "hold-out" | "restore-only";

/** Whether a recipe names weights that are put back. */
export function isRestored({ restore }: { readonly restore: Restore }): boolean {
  return restore !== "none" && !(Array.isArray(restore) && restore.length === 0);
}

/** The arm of a recipe, from its clip, restore and excludeFromRange. */
export function armOf(value: Pick<Recipe, "range" | "restore" | "excludeFromRange">): Arm {
  const restores = isRestored(value);
  if (value.excludeFromRange) return "hold-out";
  if (value.range && restores) return "clip-restore";
  if (value.range) return "clip";
  return restores ? "restore-only" : "plain";
}
