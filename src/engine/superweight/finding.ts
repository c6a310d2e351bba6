import type { Note } from "#shared/notes.ts";
import type { Candidate, JudgedOn, MaximumActivation } from "#shared/detection.ts";
import { coordinateOf } from "#shared/recipe.ts";
import { coordinateWords } from "#shared/figures/detectionWords.ts";
import { figure, percentOf } from "./effect/figures.ts";

/** The answer in a few sentences: what the model cannot live without, from what that is known, or that there is no such weight. */
export function findingOf(
  superWeights: readonly Candidate[],
  candidates: readonly Candidate[],
  judged: JudgedOn | null,
  maximum: MaximumActivation,
): Note {
  const largest = `The largest activation of the residual stream is ${figure(maximum.value)}, in layer ${maximum.layer}, channel ${maximum.channel}, at token ${maximum.token} (${JSON.stringify(maximum.text)}).`;
  if (judged === null)
    return {
      code: superWeights.length === 0 ? "detection/no-candidate" : "detection/proposed",
      text: `${proposed(superWeights)} ${largest}`,
    };
  const [first] = superWeights;
  if (first === undefined)
    return { code: "detection/none", text: `${negative(candidates, judged)} ${largest}` };
  return {
    code: "detection/found",
    text: `${named(superWeights)} ${worth(first, superWeights.length === 1, judged)}`,
  };
}

function proposed(found: readonly Candidate[]): string {
  if (found.length === 0)
    return "No candidate for a super weight: no output stands out with a single weight behind it.";
  return `${count(found.length, "candidate")} by evidence alone: ${places(found)}. Effects were not measured.`;
}

function negative(candidates: readonly Candidate[], judged: JudgedOn): string {
  const measured = candidates.filter((it) => it.effect && it.verdict !== "cancelling");
  if (measured.length === 0) return "No super weight: no output stands out with a single weight behind it.";
  const [worst] = measured.toSorted((a, b) => (b.effect?.kl ?? 0) - (a.effect?.kl ?? 0));
  const effect = worst.effect;
  const part = (change: number | null | undefined): string =>
    percentOf(Math.abs(change ?? 0) / (judged.nll ?? NaN));
  return `No super weight: without ${place(worst)}, the candidate of the largest effect, NLL changes by ${part(effect?.nllChange)} (KL ${figure(effect?.kl ?? NaN)}); the other weights tried change it by up to ${part(judged.null.nllChange)}.`;
}

function named(found: readonly Candidate[]): string {
  const alone = found.filter(({ verdict }) => verdict === "super");
  const together = found.filter(({ verdict }) => verdict === "together");
  const parts = [
    alone.length > 0 ? `${count(alone.length, "super weight")}: ${places(alone)}.` : "",
    together.length > 0
      ? `${count(together.length, "weight")} that ${together.length === 1 ? "matters" : "matter"} only together: ${places(together)}.`
      : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function worth(first: Candidate, only: boolean, judged: JudgedOn): string {
  if (first.verdict === "together") return first.reason;
  const { effect } = first;
  const perplexity = effect?.perplexity == null ? "beyond measure" : figure(effect.perplexity);
  return `Without ${only ? "it" : place(first)} perplexity on ${judged.text} goes from ${figure(judged.perplexity ?? NaN)} to ${perplexity} (KL ${effect?.kl == null ? "not finite" : figure(effect.kl)}; the other weights tried cost at most ${figure(judged.null.kl ?? NaN)}).`;
}

/** At most three by name. */
function places(found: readonly Candidate[]): string {
  const shown = found.slice(0, 3).map(place).join(", ");
  return found.length > 3 ? `${shown} and ${found.length - 3} more` : shown;
}

function place(candidate: Candidate): string {
  return coordinateWords(coordinateOf(candidate));
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
