import type { Candidate, Change, Effect } from "#shared/detection.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { keyOf, type Proposal, type Yardstick } from "./evidence/candidates.ts";
import type { Effects } from "./effect/effects.ts";
import type { NormGain } from "./evidence/normGain.ts";
import { probeId } from "./effect/probes.ts";
import type { PromptForm } from "./evidence/promptForms.ts";
import { judgeEffect, judgeEvidence, type Findings } from "./effect/verdicts.ts";

/** What a candidate's description is put together from. */
export interface Known {
  readonly tokenizer: Tokenizer;
  readonly forms: readonly PromptForm[];
  readonly measure: Yardstick;
  readonly gains: ReadonlyMap<string, NormGain>;
  /** Null where effects were not asked for. */
  readonly effects: Effects | null;
}

/** A proposal as the report has it: evidence, verdict with its reason, and the effect where it was measured. */
export function describeCandidate(proposal: Proposal, known: Known): Candidate {
  const { tokenizer, effects, measure, gains, forms } = known;
  const { layer, row, column, expert, tensor, value, inputActivation, outputActivation, contribution } =
    proposal;
  const { share, token, pass, after, rank, sigma, timesMedian, carried, published, nextLargest } = proposal;
  const idsOf = (bos: boolean): readonly number[] => (forms.find((form) => form.bos === bos) ?? forms[0]).ids;
  return {
    ...{ layer, row, column, ...(expert === undefined ? {} : { expert }) },
    ...{ tensor, value, inputActivation, outputActivation, contribution },
    ...{ share, token, pass, after, rank, sigma, timesMedian, carried, published, nextLargest },
    normGain: gains.get(keyOf(proposal)) ?? null,
    carriers: proposal.carriers.map((carrier) => ({
      ...carrier,
      text: tokenizer.tokenText(idsOf(carrier.bos)[carrier.token]),
    })),
    ...(effects?.alone.has(keyOf(proposal))
      ? { ...judgeEffect(proposal, findingsOf(effects)), effect: effectOf(proposal, effects) }
      : judgeEvidence(proposal, measure)),
  };
}

/** Whether the model can't live without it, alone or together with others. */
export function isVital(proposal: Proposal, effects: Effects): boolean {
  const { verdict } = judgeEffect(proposal, findingsOf(effects));
  return verdict === "super" || verdict === "together";
}

function findingsOf({ alone, columns, pairs, judged }: Effects): Findings {
  const { thresholdKl, information } = judged;
  return { thresholdKl, information, nullKl: judged.null.kl ?? Infinity, alone, columns, pairs };
}

function effectOf(proposal: Proposal, { changes, original, judged }: Effects): Effect {
  const alone: Change = changes.get(probeId.zero(proposal)) ?? { kl: null, nllChange: null };
  const nll = alone.nllChange === null ? null : original.nll + alone.nllChange;
  return {
    ...alone,
    nll,
    perplexity: nll === null ? null : Math.exp(nll),
    baseline: judged.perplexity,
    tokens: original.tokens,
    half: changes.get(probeId.half(proposal)) ?? null,
    column: changes.get(probeId.column(proposal)) ?? null,
    row: changes.get(probeId.row(proposal)) ?? null,
    null: judged.null,
  };
}
