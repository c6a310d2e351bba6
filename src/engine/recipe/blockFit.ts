import { SCHEMES, schemeHasGranularity } from "#shared/schemes/index.ts";
import { KeystoneError } from "#shared/errors.ts";
import { blockLayout } from "#engine/quantize/plan/blockLayout.ts";
import { tensorsInWords, type Notes } from "./notes.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** A dimension that a block size must divide. */
interface Fit {
  readonly plan: TensorPlan;
  readonly what: "columns" | "rows";
  readonly extent: number;
  readonly size: number;
}

/**
 * Refuses a block size that does not divide a tensor: the remainder is neither padded nor put into one large block, unless
 * that is how the scheme's format has it.
 * @throws KeystoneError recipe/block-does-not-divide, with the nearest sizes that the scheme has and that fit every tensor planned
 *   alike, or what else can be done about these tensors where it has none
 */
export function checkBlocksFit(plans: readonly TensorPlan[]): void {
  const fits = plans.flatMap(fitsOf);
  const misfits = fits.filter(({ extent, size }) => extent % size !== 0);
  const [misfit] = misfits;
  if (!misfit) return;
  const alike = ({ what, size, plan }: Fit): boolean =>
    what === misfit.what && size === misfit.size && plan.granularity.kind === misfit.plan.granularity.kind;
  const common = fits
    .filter(alike)
    .map((fit) => fit.extent)
    .reduce(greatestCommonDivisor);
  const nearest = nearestDivisors(common, misfit.size).filter((size) =>
    schemeHasGranularity(misfit.plan.scheme, granularityText(misfit.plan, misfit.what, size)),
  );
  throw doesNotDivide(misfit, nearest, misfits.filter(alike));
}

function fitsOf(plan: TensorPlan): Fit[] {
  const { granularity, rows, columns } = plan;
  if (granularity.kind === "group" && SCHEMES[plan.scheme].shortBlocks) return [];
  if (granularity.kind === "group")
    return [{ plan, what: "columns", extent: columns, size: granularity.size }];
  if (granularity.kind !== "tile") return [];
  return [
    { plan, what: "rows", extent: rows, size: granularity.rows },
    { plan, what: "columns", extent: columns, size: granularity.columns },
  ];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The largest divisor below `size` and the smallest above it. */
function nearestDivisors(extent: number, size: number): number[] {
  const divisors: number[] = [];
  for (let d = 1; d * d <= extent; d++) if (extent % d === 0) divisors.push(d, extent / d);
  divisors.sort((a, b) => a - b);
  const below = divisors.filter((d) => d < size).at(-1);
  const above = divisors.find((d) => d > size);
  return [below, above].filter((d) => d !== undefined);
}

function doesNotDivide(misfit: Fit, nearest: readonly number[], alike: readonly Fit[]): KeystoneError {
  const { plan, what, extent, size } = misfit;
  return new KeystoneError(
    "recipe/block-does-not-divide",
    `Tensor "${plan.name}" has ${extent} ${what}, which the block size ${size} of "${granularityText(plan, what, size)}" does not divide (${extent} % ${size} = ${extent % size}).`,
    nearest.length > 0 ? otherBlock(misfit, nearest) : otherScheme(misfit, alike),
    { tensor: plan.name, [what]: extent, size, nearest: nearest.join(", ") },
  );
}

/** The nearest blocks, and what the scheme has that takes any size. */
function otherBlock({ plan, what }: Fit, nearest: readonly number[]): string {
  const offer = nearest.map((size) => granularityText(plan, what, size)).join(" or ");
  const any = schemeHasGranularity(plan.scheme, "flat:1")
    ? '"flat:N", which takes any size'
    : '"channel", which takes any row';
  return `Use ${offer}, which divides every tensor with this block, ${any}, or another block for this tensor in "overrides".`;
}

/** For a scheme whose only blocks do not fit: which tensors need another one. */
function otherScheme({ plan }: Fit, alike: readonly Fit[]): string {
  const names = new Set(alike.map((fit) => fit.plan.name.replace(/\.\d+\./, ".*.")));
  const [pattern] = names;
  const rest = [...names].slice(1).map((name) => `"${name}"`);
  const also = rest.length === 0 ? "" : ` (and one each for ${rest.join(", ")})`;
  return `${SCHEMES[plan.scheme].title} has no other blocks. Add { "match": "${pattern}", "scheme": "f16", "bits": 16 } to "overrides"${also}; with "skip": true in place of scheme and bits it stays as it is. Or choose a scheme that has other blocks.`;
}

/** The plan's block as written in a recipe, with `size` in place of the size that does not fit. */
function granularityText({ granularity }: TensorPlan, what: "columns" | "rows", size: number): string {
  if (granularity.kind !== "tile") return `${granularity.kind}:${size}`;
  return what === "rows" ? `tile:${size}x${granularity.columns}` : `tile:${granularity.rows}x${size}`;
}

/** Says where `flat` blocks end short or are larger than the tensor. */
export function blockNotes(plans: readonly TensorPlan[], notes: Notes): void {
  const flat = Map.groupBy(plans, ({ granularity }) => (granularity.kind === "flat" ? granularity.size : 0));
  flat.delete(0);
  for (const [size, sharing] of flat) {
    const larger = sharing.filter((plan) => size > plan.rows * plan.columns);
    const short = sharing.filter(
      (plan) => size < plan.rows * plan.columns && (plan.rows * plan.columns) % size !== 0,
    );
    if (larger.length > 0) {
      notes.add(
        "granularity/larger",
        `flat:${size} is larger than ${tensorsInWords(larger.map((plan) => plan.name))}: one block for the whole tensor.`,
      );
    }
    const [first] = short;
    if (first) {
      const { weights } = blockLayout(first);
      notes.add(
        "granularity/remainder",
        `flat:${size} does not divide ${tensorsInWords(short.map((plan) => plan.name))}: the last block has the remainder (${weights % size} of ${weights} weights in "${first.name}").`,
      );
    }
  }
}
