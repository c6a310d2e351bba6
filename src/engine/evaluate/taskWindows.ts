import type { Tokenizer } from "../checkpoint/types.ts";
import type { TokenWindow } from "./types.ts";

/** A context and its continuation as the model sees them; every label is a token of the continuation. */
export interface TaskWindow {
  readonly window: TokenWindow;
  /** Tokens of the continuation. */
  readonly scored: number;
  /** Whether the context was cut on the left to fit. */
  readonly truncated: boolean;
}

/**
 * Tokenises a context and its continuation as lm-eval does: spaces at the context's end move to the continuation, the whole is
 * encoded at once and split at the length of the encoded context, BOS comes first where the tokenizer adds one, and what does
 * not fit is cut on the left. An empty context is BOS, or EOS where there is none.
 * @returns the window, or the reason why there is nothing to predict
 */
export function taskWindow(
  context: string,
  continuation: string,
  tokenizer: Tokenizer,
  contextLength: number,
): TaskWindow | string {
  const text = context.trimEnd();
  const moved = context.slice(text.length) + continuation;
  const prefix = tokenizer.bos === null ? [] : [tokenizer.bos];
  const whole = [...prefix, ...tokenizer.encode(text + moved)];
  let contextTokens = prefix.length + (text === "" ? 0 : tokenizer.encode(text).length);
  if (contextTokens === 0) {
    if (tokenizer.eos === null)
      return "has an empty context, and the tokenizer has neither BOS nor EOS to begin with";
    whole.unshift(tokenizer.eos);
    contextTokens = 1;
  }
  const scored = whole.length - contextTokens;
  if (scored < 1) return "has a continuation that adds no token to its context";
  if (scored > contextLength)
    return `has a continuation of ${scored} tokens; the model has ${contextLength} positions`;
  const kept = whole.slice(-(contextLength + 1));
  const ids = Int32Array.from(kept.slice(0, -1));
  const labels = Int32Array.from(kept.slice(1), (token, i) => (i >= kept.length - 1 - scored ? token : -1));
  return { window: { document: 0, ids, labels, lead: 0 }, scored, truncated: kept.length < whole.length };
}
