import type { Tokenizer } from "./tokenizer.ts";

/** A text's tokens, led by BOS where the tokenizer puts one. */
export interface LedTokens {
  /** What the model is fed: BOS once, whether it was added or stood in the text. */
  readonly ids: number[];
  /** The ids behind BOS; all of them where the tokenizer puts none. */
  readonly text: number[];
  /** Whether BOS was put in front of what the text holds. */
  readonly added: boolean;
  /** Whether the text began with BOS itself, so that none was added. */
  readonly own: boolean;
}

/**
 * Puts BOS in front of a text's tokens where its tokenizer does so, and never a second one: a chat template or a text that was
 * prepared for training often begins with it already.
 * @param ids the text's own tokens (Tokenizer.encode)
 */
export function leadWithBos({ bos }: Pick<Tokenizer, "bos">, ids: readonly number[]): LedTokens {
  const { own, text } = withoutLead(ids, bos);
  return { ids: bos === null ? text : [bos, ...text], text, added: bos !== null && !own, own };
}

/** A text's tokens without the leading token that stands in front of every text, and whether the text had it already. */
export function withoutLead(ids: readonly number[], lead: number | null): Pick<LedTokens, "text" | "own"> {
  const own = lead !== null && ids[0] === lead;
  return { own, text: own ? ids.slice(1) : [...ids] };
}
