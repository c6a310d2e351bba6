import type { Scores } from "#shared/evaluation.ts";
import { SWEEP_STAGES, type JobView } from "#shared/contract/job.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import type { Ranking } from "#shared/ranking.ts";
import { armOf, isRestored, type Arm, type Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { RunDetail, RunSummary, VariantResult } from "#shared/run.ts";
import {
  bits,
  cellPerplexity,
  count,
  decimalsThatSeparate,
  divergence,
  duration,
  estimate,
  sentence,
} from "../../format.ts";
import { baseName } from "../../texts.ts";

/** What the sentences of a run's head are made of. */
export interface RunFacts {
  summary: RunSummary;
  results: readonly VariantResult[];
  baseline: Scores | null;
  best: VariantResult | null;
  ranking: Ranking;
  job: JobView | null;
}

const ARM_WORDS: Record<Arm, string> = {
  plain: "plain",
  clip: "clipped",
  "clip-restore": "restored",
  "restore-only": "restored",
  "hold-out": "held-out",
};

/** The finding in one sentence: what the best variant reaches, and what it would be without restoration. */
export function runFinding(facts: RunFacts): string {
  const { summary, best } = facts;
  const part = `${count(summary.done)} of ${count(summary.total)}`;
  const result = best ? bestSentence(best, facts) : null;
  switch (summary.status) {
    case "paused":
      return `Paused at ${part}`;
    case "interrupted":
      return `Interrupted at ${part}; those are saved`;
    case "cancelled":
      return result
        ? `Cancelled at ${part}: ${result.charAt(0).toLowerCase()}${result.slice(1)}`
        : `Cancelled at ${part}`;
    case "failed":
      return `The run failed at ${part}`;
    case "waiting":
      return "Waiting to start";
    default:
      return result ?? firstWords(facts);
  }
}

function firstWords({ summary, job, results }: RunFacts): string {
  if (summary.status === "done")
    return results.some(({ status }) => status === "failed")
      ? "No variant could be scored"
      : "No variant was scored";
  const { phase = "", stage } = job?.progress ?? {};
  const prepares = stage === SWEEP_STAGES.detecting || stage === SWEEP_STAGES.original;
  return prepares ? sentence(phase) : `Scoring ${count(summary.total)} variants`;
}

/** What the variant of the lowest KL reaches, and first whether others differ from it at all. */
function bestSentence(best: VariantResult, { results, baseline, ranking }: RunFacts): string {
  const original = baseline?.perplexity ?? null;
  const decimals = decimalsThatSeparate(best.perplexity, original);
  const tied = ranking.tied.length;
  const lead =
    tied === 0 ? "Lowest KL" : `No significant difference between ${count(tied + 1)} variants; lowest KL`;
  const reaches = `${lead}: ${ARM_WORDS[armOf(best.recipe)]} ${recipeLabel({ ...best.recipe, restore: "none", excludeFromRange: false })} reaches ${cellPerplexity(best.perplexity, original, decimals)} at ${bits(best.bitsPerWeight, "prose")} bits`;
  const twin = isRestored(best.recipe) ? twinOf(best.recipe, results) : null;
  if (twin && !ranking.tied.includes(twin.id))
    return `${reaches}; without restoration ${twin.notFinite ? "it is not finite" : cellPerplexity(twin.perplexity, original, decimals)}`;
  return original === null || tied > 0
    ? reaches
    : `${reaches}; the original has ${cellPerplexity(original, original, decimals)}`;
}

/** The finished variant that differs only in restoring nothing. */
function twinOf(recipe: Recipe, results: readonly VariantResult[]): VariantResult | null {
  const { scheme, bits, granularity } = recipe;
  const wanted = canonicalJson({ ...recipe, restore: "none", excludeFromRange: false });
  // Writing 10,000 recipes out at every change would be felt; few have the same bits and block.
  const isAlike = (other: Recipe): boolean =>
    other.bits === bits && other.granularity === granularity && other.scheme === scheme;
  return (
    results.find(
      (result) =>
        result.status === "done" &&
        isAlike(result.recipe) &&
        !isRestored(result.recipe) &&
        canonicalJson(result.recipe) === wanted,
    ) ?? null
  );
}

/** How it is measured and how far it is. */
export function runMethod(facts: RunFacts, detail: RunDetail | null): string {
  const { summary, job, results } = facts;
  const running = results.filter(({ status }) => status === "running").length;
  const waiting = results.filter(({ status }) => status === "waiting").length;
  const left =
    summary.status === "running" && job?.progress?.secondsLeft != null
      ? `${sentence(estimate(job.progress.secondsLeft))} left`
      : "";
  const counts = [
    `${count(summary.done)} of ${count(summary.total)} scored`,
    running > 0 ? `${count(running)} running` : "",
    waiting > 0 ? `${count(waiting)} waiting` : "",
    summary.failed > 0 ? `${count(summary.failed)} failed` : "",
  ]
    .filter(Boolean)
    .join(", ");
  return [summary.name, left, counts, detail ? judgedBy(facts, detail) : ""].filter(Boolean).join(" · ");
}

function judgedBy({ baseline }: RunFacts, { text, calibration, convention, judge }: RunDetail): string {
  const tokens = baseline?.tokens ?? judge.tokens;
  const context = convention?.context ?? judge.context;
  const name = baseName(text);
  return [
    tokens === undefined ? name : `${count(tokens)} tokens of ${name}`,
    context === undefined ? "" : `context ${count(context)}`,
    calibration === null ? "" : `calibrated on ${baseName(calibration)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** One variant in words: for the tile heads, hovers and screen readers. */
export function variantSentence(result: VariantResult, baseline: Scores | null, decimals: number): string {
  const name = recipeLabel(result.recipe);
  if (result.status === "failed") return `${name}: failed. ${result.error?.message ?? ""}`.trim();
  if (result.status !== "done") return `${name}: ${result.status}`;
  if (result.notFinite) return `${name}: not finite at ${bits(result.bitsPerWeight)} bits`;
  const perplexity = cellPerplexity(result.perplexity, baseline?.perplexity ?? null, decimals);
  return `${name}: perplexity ${perplexity}, KL ${divergence(result.kl?.mean)}, ${bits(result.bitsPerWeight)} bits per weight, ${duration(result.seconds)}`;
}
