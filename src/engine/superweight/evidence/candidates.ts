import type { Candidate, DetectOptions } from "#shared/detection.ts";
import { coordinateOf, type WeightPlace } from "#shared/recipe.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { LayerEvidence, TracedOutput, TracedProduct } from "./evidence.ts";
import { publishedMatch } from "../published/published.ts";

/** Of a neuron that cancels, so many outputs are measured: its verdict rests on evidence. */
const MEASURED_OF_CANCELLING = 2;

/** The figures of the unmodified model that every output is held against. */
export interface Yardstick {
  readonly options: DetectOptions;
  /** Median over layers of max |Y|. */
  readonly medianOutput: number;
  /** |Y| from which an output stands out. */
  readonly thresholdOutput: number;
}

/** What evidence says of a weight, before its effect is known. */
export interface Proposal extends Omit<Candidate, "verdict" | "reason" | "effect" | "carriers" | "normGain"> {
  readonly carriers: TracedProduct["carriers"];
  /** Whether it, or another weight of its column, takes away what the residual stream carries. */
  readonly cancelling: boolean;
  /** Whether it gives enough of its output to be the weight behind it. */
  readonly traced: boolean;
}

/** The threshold on |Y| that the options and the unmodified model's median give. */
export function yardstick(options: DetectOptions, medianOutput: number): Yardstick {
  const { threshold } = options;
  return {
    options,
    medianOutput,
    thresholdOutput: threshold.kind === "absolute" ? threshold.value : threshold.factor * medianOutput,
  };
}

export function keyOf(weight: WeightPlace): string {
  return coordinateOf(weight).join();
}

/** Whether two weights lie in one column: they are of one neuron. */
export function isSameNeuron(a: Omit<WeightPlace, "row">, b: Omit<WeightPlace, "row">): boolean {
  return a.layer === b.layer && a.column === b.column && a.expert === b.expert;
}

/**
 * Weights behind the outputs that stand out: of every layer's largest rows those beyond the threshold, each traced to the products that
 * give at least `minShare` of it. An output without such a product is listed with its largest one, as not traced. Largest outputs
 * first.
 */
export function propose(
  architecture: Architecture,
  evidence: readonly LayerEvidence[],
  measure: Yardstick,
  seen: Pick<Proposal, "pass" | "after">,
): Proposal[] {
  const found = new Map<string, Proposal>();
  for (const { peaks, outputs } of evidence) {
    for (const output of outputs.filter((it) => standsOut(it, peaks.input.value, measure))) {
      const dominating = output.products.filter(({ share }) => share >= measure.options.minShare);
      const products = dominating.length > 0 ? dominating : output.products.slice(0, 1);
      for (const product of products) {
        const proposal = proposalOf(architecture, peaks.layer, output, product, measure, seen);
        if (!found.has(keyOf(proposal))) found.set(keyOf(proposal), proposal);
      }
    }
  }
  return withColumnsOf([...found.values()]).sort((a, b) => b.timesMedian - a.timesMedian);
}

function standsOut({ value }: TracedOutput, largestInput: number, measure: Yardstick): boolean {
  if (Math.abs(value) < measure.thresholdOutput) return false;
  return measure.options.threshold.kind === "relative" || Math.abs(largestInput) > measure.thresholdOutput;
}

function proposalOf(
  architecture: Architecture,
  layer: number,
  output: TracedOutput,
  product: TracedProduct,
  measure: Yardstick,
  seen: Pick<Proposal, "pass" | "after">,
): Proposal {
  const { row, token, value: outputActivation, carried, expert } = output;
  const { column } = product;
  const against = Math.sign(carried) === -Math.sign(outputActivation);
  return {
    ...{ layer, row, column, ...(expert === undefined ? {} : { expert }) },
    ...{ tensor: architecture.downProjection(layer, expert), value: product.value },
    ...{ inputActivation: product.inputActivation, outputActivation, carried },
    ...{ contribution: product.contribution, share: product.share, token },
    ...{ rank: product.rank, sigma: product.sigma, nextLargest: [...product.nextLargest] },
    timesMedian: Math.abs(outputActivation) / measure.medianOutput,
    published: publishedMatch(architecture.facts, coordinateOf({ layer, row, column, expert })),
    carriers: product.carriers,
    traced: product.share >= measure.options.minShare,
    cancelling: against && Math.abs(carried) >= measure.thresholdOutput,
    ...seen,
  };
}

/** One neuron's output goes to all its rows: where its largest one cancels, the others are by-products of the same step. */
function withColumnsOf(proposals: readonly Proposal[]): Proposal[] {
  const cancelling = proposals.filter((it) => it.cancelling);
  return proposals.map((it) => ({ ...it, cancelling: cancelling.some((other) => isSameNeuron(it, other)) }));
}

/** Whether its neuron cancels and has larger outputs enough to show what that costs. */
function isByProduct(proposal: Proposal, proposals: readonly Proposal[]): boolean {
  if (!proposal.cancelling) return false;
  const larger = proposals.filter(
    (it) => isSameNeuron(it, proposal) && it.timesMedian > proposal.timesMedian,
  );
  return larger.length >= MEASURED_OF_CANCELLING;
}

/**
 * The proposals that are measured: of a neuron that cancels the two strongest; of the others the strongest of every layer, then the others by how far they stand out, at most `most`.
 * @returns also how many were left out
 */
export function chooseMeasured(
  proposals: readonly Proposal[],
  most: number,
): { measured: Proposal[]; left: Proposal[] } {
  const traced = proposals.filter((it) => it.traced && !isByProduct(it, proposals));
  const firsts = traced.filter((it, i) => traced.findIndex(({ layer }) => layer === it.layer) === i);
  const ordered = [...firsts, ...traced.filter((it) => !firsts.includes(it))];
  return { measured: ordered.slice(0, most), left: ordered.slice(most) };
}
