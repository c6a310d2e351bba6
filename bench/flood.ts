import { recipeId } from "#engine/recipe/recipeId.ts";
import { newVariant } from "#studio/store/variantRows.ts";
import { recipe, type RangeRule } from "../src/shared/recipe.ts";
import { recipeLabel } from "../src/shared/recipeText.ts";
import type { VariantResult } from "../src/shared/run.ts";

/** Id of the run that pours. */
export const FLOOD_RUN = "flood";
export const EVENTS_A_SECOND = 60;
/** Of every ten events one is the run's summary, one the lanes and eight are results. */
export const RESULTS_AN_EVENT = 8;

const SCHEMES = [
  { scheme: "affine", bits: 2 },
  { scheme: "affine", bits: 3 },
  { scheme: "affine", bits: 4 },
  { scheme: "affine", bits: 8 },
  { scheme: "nf4", bits: 4 },
] as const;
const BLOCKS = Array.from({ length: 20 }, (_, i) => `flat:${1024 * (i + 1)}`);
const CLIPS: readonly (RangeRule | null)[] = [
  null,
  ...Array.from({ length: 49 }, (_, i): RangeRule => ({ method: "zscore", threshold: 3 + i / 4 })),
];
const RESTORE = ["none", "super-weights"] as const;

/** 10,000 waiting variants: 5 formats × 20 blocks × 50 clips, with and without the super weights. */
export function floodVariants(): VariantResult[] {
  const recipes = SCHEMES.flatMap((scheme) =>
    BLOCKS.flatMap((granularity) =>
      CLIPS.flatMap((range) =>
        RESTORE.map((restore) => recipe.parse({ ...scheme, granularity, range, restore })),
      ),
    ),
  );
  return recipes.map((one, index) =>
    newVariant({ id: recipeId(one), index, recipe: one, label: recipeLabel(one), attempts: 0 }),
  );
}

/** The variant with made-up scores: worse with fewer bits and larger blocks, better where super weights are restored. */
export function scoredVariant(variant: VariantResult, finishedAt: number, worker: number): VariantResult {
  const { bits, restore } = variant.recipe;
  const turn = ((variant.index * 7919) % 1000) / 1000;
  const kl = (restore === "none" ? 4 : 1) * 4 ** (3 - bits) * (0.5 + turn);
  const perplexity = 12 * Math.exp(kl);
  return {
    ...variant,
    status: "done",
    bitsPerWeight: bits + 0.1 + turn / 4,
    fileBitsPerWeight: bits + 0.6 + turn / 4,
    perplexity,
    nll: Math.log(perplexity),
    tokens: 2048,
    kl: { mean: kl, median: kl / 3, p99: 9 * kl, max: 30 * kl, topAgreement: Math.exp(-kl) },
    sqnrDb: 6 * bits,
    seconds: 0.04,
    worker,
    startedAt: finishedAt - 40,
    finishedAt,
    attempts: 1,
  };
}
