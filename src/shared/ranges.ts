import type { RangeRule } from "./recipe.ts";

/** A method by which a block's range is clipped. */
export type RangeMethod = RangeRule["method"];

/** What a method's threshold counts: multiples of a spread, a share of the weights, or nothing, because it searches its own. */
type Threshold = "multiple" | "fraction" | "none";

/** The methods, in the order in which they are offered. */
export const RANGE_METHODS = {
  zscore: {
    label: "z-score",
    title: "Weights beyond so many standard deviations",
    threshold: "multiple",
  },
  iqr: {
    label: "IQR",
    title: "Beyond so many interquartile ranges from the quartiles",
    threshold: "multiple",
  },
  "block-percentage": {
    label: "top of block",
    title: "A fraction of each block's weights",
    threshold: "fraction",
  },
  "tensor-percentage": {
    label: "top of tensor",
    title: "A fraction of the tensor's weights",
    threshold: "fraction",
  },
  mse: {
    label: "MSE",
    title: "The range of least squared error; it has no threshold",
    threshold: "none",
  },
} as const satisfies Readonly<
  Record<RangeMethod, { readonly label: string; readonly title: string; readonly threshold: Threshold }>
>;

/** Their names, in that order. */
export const RANGE_METHOD_NAMES = Object.keys(RANGE_METHODS) as [RangeMethod, ...RangeMethod[]];

/** The methods as they are chosen from. */
export const RANGE_CHOICES = RANGE_METHOD_NAMES.map((value) => {
  const { label, title } = RANGE_METHODS[value];
  return { value, label, title };
});

/** Whether a method's threshold is a share of the weights. */
export function isFraction(method: RangeMethod): boolean {
  return RANGE_METHODS[method].threshold === "fraction";
}
