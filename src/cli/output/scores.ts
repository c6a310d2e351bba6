import type { Interval } from "#shared/bootstrap.ts";
import type { Convention, Scores } from "#shared/evaluation.ts";
import { count, fixed, percent } from "./numbers.ts";

/** The scores of one model as name–value facts, with the KL lines where there is a comparison. */
export function scoreFacts(scores: Scores, decimals: number): [string, string][] {
  const bad = scores.notFinite === true;
  const intervals = scores.confidence?.intervals;
  const facts: [string, string][] = [
    ["Perplexity", `${fixed(scores.perplexity, decimals, bad)}${within(intervals?.perplexity, decimals)}`],
    ["Per word, per byte", `${fixed(scores.wordPerplexity, decimals)}, ${fixed(scores.bytePerplexity, 4)}`],
    ["NLL", `${fixed(scores.nll, 4, bad)} nats per token${errorOf(scores)}`],
    ["Tokens", count(scores.tokens)],
  ];
  const { kl } = scores;
  if (kl) {
    facts.push(
      [
        "KL to the original",
        `${fixed(kl.mean, 4, bad)} nats${within(intervals?.kl, 4)}; median ${fixed(kl.median, 4, bad)}, 99% below ${fixed(kl.p99, 4, bad)}`,
      ],
      ["Top-1 agreement", `${percent(kl.topAgreement)}${agreementWithin(intervals?.topAgreement)}`],
      ...addedFact(scores),
    );
  }
  return facts;
}

/** ` (95%: 12.61 to 13.20)`; nothing where there is no interval. */
function within(ends: Interval | undefined, decimals: number): string {
  return ends ? ` (95%: ${fixed(ends[0], decimals)} to ${fixed(ends[1], decimals)})` : "";
}

function agreementWithin(ends: Interval | undefined): string {
  return ends ? ` (95%: ${percent(ends[0])} to ${percent(ends[1])})` : "";
}

/** What the variant adds to the original's NLL on the same text. */
function addedFact({ confidence }: Scores): [string, string][] {
  const ends = confidence?.intervals.nllAdded;
  if (!ends) return [];
  const differs = ends[0] > 0 || ends[1] < 0;
  return [
    [
      "NLL beyond the original",
      `95%: ${fixed(ends[0], 4)} to ${fixed(ends[1], 4)} nats per token${differs ? "" : ", no significant difference"}`,
    ],
  ];
}

/** ` (± 0.0123)`; nothing where a single token has no error. */
function errorOf({ nllStandardError, tokens, notFinite }: Scores): string {
  return tokens < 2 ? "" : ` (± ${fixed(nllStandardError, 4, notFinite)})`;
}

/** How the text was cut, without its full stop, for a sentence that goes on. */
export function conventionClause(convention: Convention): string {
  return convention.text.replace(/\.$/, "");
}

/** How the text was cut, as one fact. */
export function conventionFact(convention: Convention): [string, string] {
  return ["Text", convention.text];
}
