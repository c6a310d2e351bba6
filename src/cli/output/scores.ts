import type { Convention, Scores } from "#shared/evaluation.ts";
import { count, fixed, percent } from "./numbers.ts";

/** The scores of one model as name–value facts, with the KL lines where there is a comparison. */
export function scoreFacts(scores: Scores, decimals: number): [string, string][] {
  const bad = scores.notFinite === true;
  const facts: [string, string][] = [
    ["Perplexity", fixed(scores.perplexity, decimals, bad)],
    ["Per word, per byte", `${fixed(scores.wordPerplexity, decimals)}, ${fixed(scores.bytePerplexity, 4)}`],
    ["NLL", `${fixed(scores.nll, 4, bad)} nats per token${errorOf(scores)}`],
    ["Tokens", count(scores.tokens)],
  ];
  const { kl } = scores;
  if (kl) {
    facts.push(
      [
        "KL to the original",
        `${fixed(kl.mean, 4, bad)} nats (median ${fixed(kl.median, 4, bad)}, 99 % below ${fixed(kl.p99, 4, bad)})`,
      ],
      ["Top-1 agreement", percent(kl.topAgreement)],
    );
  }
  return facts;
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
