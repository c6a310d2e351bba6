import type { Candidate, Change, ColumnGroup, PairEffect, Verdict } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { figure, percentOf } from "./figures.ts";
import { coordinateWords } from "#shared/figures/detectionWords.ts";
import { isSameNeuron, keyOf, type Proposal, type Yardstick } from "../evidence/candidates.ts";

/** A pair costs much less than one of it alone, or much more than both apart, by this factor. */
const PAIR_FACTOR = 2;
/** A spoke is worth at most one such part of what its column's spokes are worth together. */
const SPOKE_PARTS = 3;

/** What a verdict rests on. */
export interface Findings {
  /** KL from which an effect counts, nats per token. */
  readonly thresholdKl: number;
  readonly nullKl: number;
  readonly information: number;
  /** Of each weight zeroed alone, by its coordinate. */
  readonly alone: ReadonlyMap<string, Change>;
  readonly columns: readonly ColumnGroup[];
  readonly pairs: readonly PairEffect[];
}

export interface Judged {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** What two weights do together beside what each does alone. */
export function pairKind(
  both: number,
  first: number,
  second: number,
  thresholdKl: number,
): PairEffect["kind"] {
  const most = Math.max(first, second);
  if (most >= thresholdKl && both * PAIR_FACTOR < most) return "masks";
  if (both >= thresholdKl && both >= PAIR_FACTOR * (first + second)) return "compensate";
  return "independent";
}

/**
 * The verdict on a measured candidate. Evidence only decides whether it takes away what is carried; all else is its effect: alone, then
 * with its column, then with a partner.
 */
export function judgeEffect(proposal: Proposal, findings: Findings): Judged {
  const alone = findings.alone.get(keyOf(proposal));
  const kl = alone?.kl ?? null;
  if (proposal.cancelling) return { verdict: "cancelling", reason: cancellingReason(proposal, kl, findings) };
  if (proposal.after.length > 0) return judgeLater(proposal, kl, findings);
  const spokes = columnReason(proposal, findings);
  if (spokes !== null) return { verdict: "together", reason: spokes };
  if (isLarge(alone, findings)) return { verdict: "super", reason: superReason(kl, findings) };
  const pair = pairReason(proposal, findings);
  if (pair !== null) return { verdict: "together", reason: pair };
  return { verdict: "spike-without-effect", reason: harmlessReason(proposal, kl, findings) };
}

/** What stands out only in a damaged model is a consequence, unless the model needs it: then with the weight that hides it. */
function judgeLater(proposal: Proposal, kl: number | null, findings: Findings): Judged {
  const pair = pairReason(proposal, findings);
  if (pair !== null) return { verdict: "together", reason: pair };
  if (!isLarge(findings.alone.get(keyOf(proposal)), findings))
    return { verdict: "spike-without-effect", reason: harmlessReason(proposal, kl, findings) };
  const hiding = proposal.after.map(coordinateWords).join(", ");
  return {
    verdict: "together",
    reason: `Its output stands out only without ${hiding}, whose work it shares; without it KL is ${kl === null ? "not finite" : figure(kl)}.`,
  };
}

/** The verdict where effects were not asked for, or this candidate was not measured. */
export function judgeEvidence(proposal: Proposal, { options, medianOutput }: Yardstick): Judged {
  const output = `The output ${figure(proposal.outputActivation)} is ${figure(Math.abs(proposal.outputActivation) / medianOutput)} × the median layer maximum`;
  if (!proposal.traced) {
    return {
      verdict: "none",
      reason: `${output}, but its largest product gives ${percentOf(proposal.share)} of it; at least ${percentOf(options.minShare)} is needed to trace it to one weight.`,
    };
  }
  if (proposal.cancelling)
    return {
      verdict: "cancelling",
      reason: `${output} and takes away what the residual stream carries there (${figure(proposal.carried)}).`,
    };
  return {
    verdict: "unmeasured",
    reason: `${output}, and this weight gives ${percentOf(proposal.share)} of it. Its effect was not measured.`,
  };
}

function superReason(kl: number | null, findings: Findings): string {
  if (kl === null) return "Without it the model's outputs are not finite.";
  return `Without it KL is ${figure(kl)}: ${percentOf(kl / findings.information)} of what the model knows of this text, and ${timesNull(kl, findings)}.`;
}

/**
 * Spokes of one column count together where each alone is a small part of what all of them are worth; where the strongest counts
 * alone, the others must count without it.
 */
function columnReason(proposal: Proposal, findings: Findings): string | null {
  const { row, column } = proposal;
  const group = findings.columns.find((it) => isSameNeuron(it, proposal));
  if (!group || group.spokes.length < 2) return null;
  const [strongest] = group.spokes;
  const joint = group.spokesTogether;
  const small = (coordinate: Coordinate, whole: Change | null): boolean =>
    whole !== null &&
    isLarge(whole, findings) &&
    SPOKE_PARTS * (findings.alone.get(coordinate.join())?.kl ?? Infinity) <= (whole.kl ?? Infinity);
  if (group.spokes.every((spoke) => small(spoke, joint)))
    return spokesReason(group.spokes.length, column, joint);
  const own = group.spokes.find((spoke) => spoke[1] === row);
  if (own === undefined || own === strongest || !small(own, group.rest)) return null;
  return spokesReason(group.spokes.length - 1, column, group.rest);
}

function spokesReason(count: number, column: number, joint: Change | null): string {
  return `Little is lost without it alone, but without the ${count} large weights of column ${column} together KL is ${joint?.kl == null ? "not finite" : figure(joint.kl)}.`;
}

/** A model whose outputs are not finite any more has lost more than any KL says. */
function isLarge(change: Change | null | undefined, { thresholdKl }: Findings): boolean {
  return change != null && (change.kl === null || change.kl >= thresholdKl);
}

function pairReason(proposal: Proposal, findings: Findings): string | null {
  const key = keyOf(proposal);
  const pair = findings.pairs.find(
    (it) =>
      it.kind === "compensate" &&
      (it.first.join() === key || it.second.join() === key) &&
      // next to a super weight everything that shares its work seems to matter
      ![it.first, it.second].some((each) => isLarge(findings.alone.get(each.join()), findings)),
  );
  if (!pair) return null;
  const other = pair.first.join() === key ? pair.second : pair.first;
  return `It and ${coordinateWords(other)} stand in for each other: without one alone little is lost, without both KL is ${figure(pair.both.kl ?? Infinity)}.`;
}

function cancellingReason(proposal: Proposal, kl: number | null, findings: Findings): string {
  const lost = kl === null ? "" : ` Without it KL is ${figure(kl)} (null ${figure(findings.nullKl)}).`;
  return `Its neuron takes away what the residual stream carries (${figure(proposal.outputActivation)} onto ${figure(proposal.carried)} in this channel): it follows from an earlier weight.${lost}`;
}

function harmlessReason(proposal: Proposal, kl: number | null, findings: Findings): string {
  const seen =
    proposal.after.length === 0
      ? ""
      : " It stands out only in a model that has lost other weights: a consequence, not a cause.";
  return `The output is ${figure(proposal.timesMedian)} × the median layer maximum, but without this weight KL is only ${figure(kl ?? NaN)}; a super weight costs at least ${figure(findings.thresholdKl)}.${seen}`;
}

function timesNull(kl: number, { nullKl }: Findings): string {
  return nullKl > 0
    ? `${figure(kl / nullKl)} × the largest effect of the other weights tried`
    : "the other weights tried cost nothing";
}

/** Largest effect first; those without a measured effect last, by how far they stand out. */
export function byEffect(a: Candidate, b: Candidate): number {
  const effect = ({ effect: known }: Candidate): number => (known ? (known.kl ?? Infinity) : -1);
  const [first, second] = [effect(a), effect(b)];
  return first === second ? b.timesMedian - a.timesMedian : second - first;
}
