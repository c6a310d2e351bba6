// What the paper says [arXiv:2411.07191], what was measured here, and whether it holds.
import { plural, significant } from "#shared/format.ts";
import { rangeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { LARGE_BLOCKS, type Answers } from "./steps.ts";

export type Holds = "yes" | "in part" | "no";

/** A row of the table. The paper's figures are Llama-7B's where it names no other model. */
export interface Claim {
  readonly claim: string;
  readonly paper: string;
  readonly here: string;
  readonly holds: Holds;
}

/** A perplexity that rises so many times is a model that is lost; twice is one that is hurt. */
const [LOST, HURT] = [100, 2];
/** The paper's stop words gain so much at least. */
const STOP_WORDS = 2;
/** What the paper's pruning leaves of the super activation, and how far one may be from it. */
const LEFT = 0.25;

export function claimsOf(answers: Answers): Claim[] {
  return [
    aHandful(answers),
    lostWithout(answers),
    othersMatterLess(answers),
    takenBack(answers),
    persists(answers),
    madeByIt(answers),
    stopWords(answers),
    scaling(answers),
    largeBlocks(answers),
    clippedAlone(answers),
    foundThreshold(answers),
    activations(answers),
  ];
}

function aHandful({ detect }: Answers): Claim {
  const found = detect.superWeights.map(({ layer, row, column }) => `layer ${layer} [${row}, ${column}]`);
  return {
    claim: "A model has a handful of super weights",
    paper: "1 to 6, in early layers (Table 2)",
    here: `${found.length}: ${found.join(", ")}`,
    holds: found.length > 0 && found.length <= 6 ? "yes" : "no",
  };
}

function lostWithout({ importance: { rows } }: Answers): Claim {
  const [original, pruned] = rows;
  const factor = ratio(pruned.perplexity, original.perplexity);
  return {
    claim: "Without them the model is lost",
    paper: "WikiText-2 perplexity 5.67 → 1,211 (Table 1)",
    here: `${digits(original.perplexity)} → ${digits(pruned.perplexity)}, KL ${digits(pruned.kl?.mean)}`,
    holds: factor >= LOST ? "yes" : factor >= HURT ? "in part" : "no",
  };
}

function othersMatterLess({ importance: { rows } }: Answers): Claim {
  const [original, pruned, , largest] = rows;
  const random = rows.find(({ name }) => name.startsWith("random"));
  const share = ratio(largest.kl?.mean, pruned.kl?.mean);
  const little = ratio(largest.perplexity, original.perplexity) < 1.1;
  return {
    claim: "Far more of the largest other weights matter far less",
    paper: "7,000 others: 5.67 → 6.08",
    here: `${plural(largest.weights, "other")}: ${digits(original.perplexity)} → ${digits(largest.perplexity)}, KL ${digits(largest.kl?.mean)}${random ? `; as many at random: KL ${digits(random.kl?.mean)}` : ""}`,
    holds: little ? "yes" : share < 0.5 ? "in part" : "no",
  };
}

function takenBack({ importance: { rows, recovered } }: Answers): Claim {
  return {
    claim: "Keeping the super activation alone takes back a part of the loss",
    paper: "42 % of the accuracy",
    here: `${share(recovered)} of the log-likelihood (perplexity ${digits(rows[2].perplexity)})`,
    holds: recovered === null || recovered <= 0 ? "no" : "yes",
  };
}

/** The super weight whose channel is carried through most layers. */
function longest({ "super-activations": report }: Answers) {
  const length = ({ from, to }: (typeof report.persistence)[number]): number =>
    from === null || to === null ? 0 : 1 + to - from;
  const [best] = report.persistence.toSorted((a, b) => length(b) - length(a));
  return { ...best, prompts: report.prompts.length, all: report.layers, length: length(best) };
}

function persists(answers: Answers): Claim {
  const { superWeight, from, to, token, prompts, all, length } = longest(answers);
  const behind = all - superWeight[0];
  return {
    claim: "The activation stays in one channel and token through all later layers, whatever the prompt",
    paper: "layers 3 to 29 of 32",
    here:
      from === null || to === null
        ? "in no layer of every prompt"
        : `channel ${superWeight[1]}, ${token === null ? "at varying tokens" : `token ${token}`}, layers ${from} to ${to} of ${all}, ${prompts} of ${prompts} prompts`,
    holds: length >= 0.8 * behind && token !== null ? "yes" : length > 1 ? "in part" : "no",
  };
}

function madeByIt(answers: Answers): Claim {
  const { from, to, layers } = longest(answers);
  const shares = layers
    .filter(({ layer }) => from !== null && to !== null && layer >= from && layer <= to)
    .map(({ magnitude, withoutSuperWeights }) => Math.abs(ratio(withoutSuperWeights, magnitude)));
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return {
    claim: "The super weight makes it: pruning cuts it by three quarters",
    paper: "1,360 → 324",
    here: shares.length === 0 ? "–" : `${share(least)} to ${share(most)} of it is left, by layer`,
    holds: most <= 1.2 * LEFT ? "yes" : least <= 0.5 ? "in part" : "no",
  };
}

function stopWords({ "token-probabilities": { stopWords: found, entropy, prompts } }: Answers): Claim {
  const factor = found.pruned / found.original;
  return {
    claim: "Without them stop words take over",
    paper: "probability × 2 to × 5 (Figure 5)",
    here: `${share(found.original)} → ${share(found.pruned)} (× ${digits(factor)}) over ${prompts} contexts; entropy ${digits(entropy.original)} → ${digits(entropy.pruned)} nats`,
    holds: factor >= STOP_WORDS ? "yes" : factor > 1.2 ? "in part" : "no",
  };
}

function scaling({ sensitivity: { original, points, finding } }: Answers): Claim {
  const scored = points.filter(({ perplexity }) => perplexity !== null);
  const [best] = scored.toSorted((a, b) => (a.perplexity ?? 0) - (b.perplexity ?? 0));
  const half = points.find(({ factor }) => factor === 0.5);
  const gains = best.factor > 1 && finding.code !== "sensitivity/uncertain-gain";
  return {
    claim: "Scaling them up a little helps a little",
    paper: "best at × 2: accuracy 70.1 → 70.6 (Figure 6)",
    here: `best at × ${best.factor}: ${digits(best.perplexity)}, original ${digits(original?.perplexity)}; at × 0.5 ${digits(half?.perplexity)}`,
    holds: gains ? "yes" : best.factor > 1 ? "in part" : "no",
  };
}

function variantOf(
  results: readonly VariantResult[],
  bits: number,
  granularity: string,
  clip: boolean,
  restored: boolean,
) {
  const found = results.find(
    ({ recipe }) =>
      recipe.bits === bits &&
      recipe.granularity === granularity &&
      (recipe.range !== null) === clip &&
      (recipe.restore !== "none" && !(Array.isArray(recipe.restore) && recipe.restore.length === 0)) ===
        restored,
  );
  if (!found) throw new Error(`the sweep has no INT${bits} ${granularity}`);
  return found;
}

function largeBlocks({ "block-scaling": { cells } }: Answers): Claim {
  const pairs = cells
    .filter(({ arm }) => arm === "plain")
    .flatMap((plain) => {
      const handled = cells.find(
        ({ arm, bits, granularity }) =>
          arm === "clip-restore" && bits === plain.bits && granularity === plain.granularity,
      );
      return handled ? [{ plain, handled }] : [];
    });
  const better = pairs.filter(({ plain, handled }) => kl(handled.scores) < kl(plain.scores));
  const told = pairs
    .filter(({ plain }) => plain.bits === 4)
    .map(
      ({ plain, handled }) =>
        `${plain.granularity} ${digits(plain.scores.kl?.mean)} → ${digits(handled.scores.kl?.mean)}`,
    );
  return {
    claim: "Clipped and restored, weights survive rounding in larger blocks",
    paper: "INT4, accuracy: equal at 256², 50.5 → 57.9 at 512², 27.6 → 45.4 at 1024² (Figure 7)",
    here: `KL, INT4: ${told.join("; ")}; nearer in ${better.length} of ${pairs.length} cells`,
    holds: better.length === pairs.length ? "yes" : better.length > 0 ? "in part" : "no",
  };
}

function clippedAlone({ sweep: { results } }: Answers): Claim {
  const alone = variantOf(results, 4, LARGE_BLOCKS, true, false).kl?.mean;
  const restored = variantOf(results, 4, LARGE_BLOCKS, true, true).kl?.mean;
  const worse = ratio(alone, restored);
  return {
    claim: "Clipping needs the restoration: a super weight must not be clipped",
    paper: "restored in half precision after rounding",
    here: `KL, INT4, ${LARGE_BLOCKS}, z 9: ${digits(alone)} alone, ${digits(restored)} restored`,
    holds: worse >= 1.5 ? "yes" : worse > 1.05 ? "in part" : "no",
  };
}

function foundThreshold({ "threshold-search": { trials, result } }: Answers): Claim {
  const best = trials.find((trial) => trial.best);
  const gain = ratio(result?.test.kl?.mean, result?.plain.kl?.mean);
  return {
    claim: "A threshold chosen on other text holds on this one",
    paper: "z of least error on 500 examples of WikiText-2's training part (section 4.2)",
    here: `${best ? rangeLabel(best.range) : "none found"} of ${plural(trials.length, "candidate")}; KL, INT4, ${LARGE_BLOCKS}: ${digits(result?.plain.kl?.mean)} plain, ${digits(result?.test.kl?.mean)} with it`,
    holds: gain < 0.9 ? "yes" : gain < 1 ? "in part" : "no",
  };
}

function activations({ activations: { rows } }: Answers): Claim {
  const row = (method: string) =>
    rows.find((it) => it.method === method && it.per === "token" && it.weights === "8-bit");
  const [naive, smooth, kept] = [row("naive"), row("smoothquant"), row("super-activation")];
  const gain = (it: typeof kept): number => kl(naive?.scores) - kl(it?.scores);
  return {
    claim: "W8A8 with the super activation kept comes near SmoothQuant",
    paper: "71 to 83 % of SmoothQuant's gain (Table 3)",
    here: `KL per token: naive ${digits(naive?.scores.kl?.mean)}, SmoothQuant ${digits(smooth?.scores.kl?.mean)}, kept ${digits(kept?.scores.kl?.mean)}`,
    holds: gain(kept) > 0 && gain(kept) >= 0.7 * gain(smooth) ? "yes" : gain(kept) > 0 ? "in part" : "no",
  };
}

function kl(of: { readonly kl?: { readonly mean: number | null } | undefined } | undefined): number {
  return of?.kl?.mean ?? NaN;
}

function ratio(a: number | null | undefined, b: number | null | undefined): number {
  return (a ?? NaN) / (b ?? NaN);
}

/** Three digits; a perplexity that is not finite says so. */
function digits(value: number | null | undefined): string {
  return value == null || !Number.isFinite(value) ? "not finite" : significant(value, 3);
}

function share(value: number | null): string {
  return value === null ? "nothing" : `${significant(100 * value, 3)} %`;
}
