import { type WeightPlace, coordinateOf } from "#shared/recipe.ts";
import type { Candidate, DetectPass, DetectPreview, DetectReport, JudgedOn } from "#shared/detection.ts";
import { isSuper, merelyLarge, type LargeWeight } from "#shared/figures/detectionWords.ts";

/** What the screen shows: of a report, or of a search on its way, which has no judgement yet. */
export interface SearchView {
  readonly passes: readonly DetectPass[];
  /** Every candidate, the largest effect first. */
  readonly candidates: readonly Candidate[];
  /** The upper list: what the model can't live without; without effects, what the evidence proposes. */
  readonly upper: readonly Candidate[];
  /** The lower list. */
  readonly large: readonly LargeWeight[];
  readonly judged: JudgedOn | null;
  readonly report: DetectReport | null;
}

/** A finished search. */
export function viewOfReport(report: DetectReport): SearchView {
  const { superWeights, candidates, passes, judged } = report;
  return {
    passes,
    candidates: [...superWeights, ...candidates],
    upper: superWeights,
    large: merelyLarge(report),
    judged,
    report,
  };
}

/** A search on its way: the layers it has run, and its candidates as they are found and measured. */
export function viewOfPreview(preview: DetectPreview | null, passes: readonly DetectPass[]): SearchView {
  const layers = preview?.layers ?? [];
  const candidates = byEffect(preview?.candidates ?? []);
  return {
    passes:
      passes.length > 0 || layers.length === 0
        ? passes
        : [{ pass: 1, fromLayer: 0, layers: [...layers], zeroed: [] }],
    candidates,
    upper: candidates,
    large: [],
    judged: null,
    report: null,
  };
}

/** The largest KL first, those that are not finite before all; unmeasured ones keep their order behind. */
export function byEffect(candidates: readonly Candidate[]): Candidate[] {
  const key = ({ effect }: Candidate): number => (effect ? (effect.kl ?? Infinity) : -Infinity);
  return candidates
    .map((one, i) => ({ one, i }))
    .sort((a, b) => (key(a.one) === key(b.one) ? a.i - b.i : key(b.one) > key(a.one) ? 1 : -1))
    .map(({ one }) => one);
}

/** Identity of a candidate: one place is a candidate once. */
export function candidateKey(candidate: WeightPlace): string {
  return coordinateOf(candidate).join("/");
}

/** Title and note of the upper list. */
export function upperWords({ report, upper, judged }: SearchView): { title: string; note: string } {
  if (report === null)
    return { title: "Candidates so far", note: "the largest effect first; verdicts come at the end" };
  if (judged === null) return { title: "What the evidence proposes", note: "effects were not measured" };
  const together = upper.filter(({ verdict }) => verdict === "together").length;
  return {
    title: "What the model can't live without",
    note:
      upper.length === 0
        ? "nothing: no candidate's effect reaches the threshold"
        : together > 0
          ? `the largest effect first; ${together} of ${upper.length} only together with others`
          : "the largest effect first",
  };
}

/** How many candidates have been measured: `3 of 12 candidates measured`. */
export function measuredCount({ candidates }: SearchView): { measured: number; total: number } {
  return { measured: candidates.filter(({ effect }) => effect).length, total: candidates.length };
}

/** Super weights among the candidates that the unmodified model shows. */
export function markedCandidates({ upper }: SearchView): Candidate[] {
  return upper.filter((one) => isSuper(one) && one.after.length === 0);
}
