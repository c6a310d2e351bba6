import type { Candidate } from "#shared/detection.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Architecture } from "../architecture/types.ts";
import type { LayerEvidence } from "./evidence.ts";
import { publishedMatch } from "./published.ts";
import { figure, isSpike, judgeLayer, type Yardstick } from "./verdict.ts";

/** Zeroing counts as suppressing a spike where less than this much of it is left. */
const SUPPRESSED = 0.5;

/** The books of a detection: what every layer shows now, what was accepted, what was refused and why. */
export class Ledger {
  private readonly architecture: Architecture;
  private readonly measure: Yardstick;
  /** The judgement of each layer's strongest output, as its last pass left it. */
  private readonly current: Candidate[] = [];
  private readonly accepted: Candidate[] = [];
  private readonly refused = new Map<string, Candidate>();
  private readonly unsuppressed = new Set<string>();

  constructor(architecture: Architecture, measure: Yardstick) {
    this.architecture = architecture;
    this.measure = measure;
  }

  /** Judges layers `from` … last after a pass. The weight accepted before it is put to the proof: did zeroing help? */
  note(pass: number, from: number, evidence: readonly LayerEvidence[]): void {
    if (pass > 1) this.proveLast(evidence);
    for (const shown of evidence.slice(from)) {
      const { layer } = shown.peaks;
      const earlier = this.current[layer];
      const candidate = this.candidateOf(shown, pass);
      this.current[layer] = candidate;
      if (earlier?.verdict === "super-weight" && !this.isAccepted(earlier) && key(earlier) !== key(candidate))
        this.refuseOvertaken(earlier, candidate);
      // a layer that only looks odd in a damaged model is noted where it stands out
      const worthNoting = pass === 1 || isSpike(shown, this.measure);
      if (candidate.verdict !== "super-weight" && worthNoting && !this.isAccepted(candidate))
        this.refuse(candidate);
    }
  }

  /** The largest output with a single weight behind it, or null. */
  strongest(): Candidate | null {
    const standing = this.current.filter((it) => it.verdict === "super-weight" && !this.isAccepted(it));
    return standing.sort((a, b) => Math.abs(b.outputActivation) - Math.abs(a.outputActivation))[0] ?? null;
  }

  /** @param proven whether another pass will show what zeroing it does */
  accept(candidate: Candidate, pass: number, proven: boolean): void {
    const reason = proven
      ? candidate.reason
      : `${candidate.reason} The pass limit is reached, so the model was not run without it.`;
    this.accepted.push({ ...candidate, pass, reason });
    this.refused.delete(key(candidate));
  }

  zeroed(): Coordinate[] {
    return this.accepted.map(({ layer, row, column }): Coordinate => [layer, row, column]);
  }

  /** Accepted weights in the order they were found, and the others by how far their output stands out. */
  result(): { superWeights: Candidate[]; candidates: Candidate[] } {
    for (const left of this.current) {
      if (left.verdict !== "super-weight" || this.isAccepted(left)) continue;
      const reason = `${left.reason} It was not zeroed: the limit of ${this.measure.options.maxPasses} passes was reached.`;
      this.refused.set(key(left), { ...left, verdict: "pass-limit", reason });
    }
    const candidates = [...this.refused.values()].sort((a, b) => b.timesMedian - a.timesMedian);
    return { superWeights: [...this.accepted], candidates };
  }

  /** The first judgement of a weight stands: later passes see a model that has lost others. */
  private refuse(candidate: Candidate): void {
    if (!this.refused.has(key(candidate))) this.refused.set(key(candidate), candidate);
  }

  private isAccepted(candidate: Candidate): boolean {
    return this.accepted.some((it) => key(it) === key(candidate));
  }

  private proveLast(evidence: readonly LayerEvidence[]): void {
    const last = this.accepted.at(-1);
    if (!last) return;
    const { output } = evidence[last.layer].peaks;
    const samePlace = output.token === last.token && output.channel === last.row;
    const left = Math.abs(output.value / last.outputActivation);
    if (!samePlace || left < Math.max(SUPPRESSED, 1 - this.measure.options.minShare)) return;
    this.accepted.pop();
    this.unsuppressed.add(key(last));
    const reason = `Zeroing it left the output at ${figure(output.value)} (before: ${figure(last.outputActivation)}): it does not suppress the spike.`;
    this.refused.set(key(last), { ...last, verdict: "no-suppression", reason });
  }

  private refuseOvertaken(earlier: Candidate, now: Candidate): void {
    const verdict = now.verdict === "super-weight" ? "below-threshold" : now.verdict;
    const reason = `It stood out in pass ${earlier.pass}, but no longer after a stronger weight was zeroed: the layer's largest output is now ${figure(now.outputActivation)}.`;
    this.refused.set(key(earlier), { ...earlier, verdict, reason });
  }

  private candidateOf(evidence: LayerEvidence, pass: number): Candidate {
    const { peaks, weight } = evidence;
    const coordinate: Coordinate = [weight.layer, weight.row, weight.column];
    const judged = judgeLayer(evidence, this.measure);
    const hopeless = judged.verdict === "super-weight" && this.unsuppressed.has(coordinate.join());
    return {
      ...weight,
      tensor: this.architecture.downProjection(weight.layer),
      token: peaks.output.token,
      pass,
      timesMedian: Math.abs(weight.outputActivation) / this.measure.medianOutput,
      published: publishedMatch(this.architecture.facts, coordinate),
      ...(hopeless
        ? {
            verdict: "no-suppression" as const,
            reason: this.refused.get(coordinate.join())?.reason ?? judged.reason,
          }
        : judged),
    };
  }
}

function key({ layer, row, column }: Candidate): string {
  return [layer, row, column].join();
}
