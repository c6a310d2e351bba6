import { leadWithBos, withoutLead } from "#engine/tokenizer/leadWithBos.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { stripEnd } from "#engine/files/pythonText.ts";
import type { TaskRequest } from "../datasets/taskItem.ts";

/** A request as tokens. */
export interface EncodedRequest {
  /** Fed to the model: the context and the continuation without its last token, at most as many as the model has positions. */
  readonly fed: readonly number[];
  /** The continuation: what the last `labels.length` fed tokens must predict. */
  readonly labels: readonly number[];
  /** Whether the context was cut on the left to fit. */
  readonly truncated: boolean;
}

/**
 * Tokenises a request as lm-eval does: white space at the context's end moves to the continuation; context and continuation are
 * encoded together and the continuation is what comes behind as many tokens as the context has alone; BOS comes first where the
 * tokenizer adds one; what does not fit is cut on the left. An empty context is the tokenizer's BOS, or EOS where it has none.
 * @returns the tokens, or the reason why there is nothing to predict
 */
export function encodeRequest(
  request: TaskRequest,
  tokenizer: Tokenizer,
  contextLength: number,
): EncodedRequest | string {
  const pair = encodePair(request, tokenizer);
  if (typeof pair === "string") return pair;
  const [context, labels] = pair;
  if (labels.length === 0) return "has a continuation that adds no token to its context";
  if (labels.length > contextLength)
    return `has a continuation of ${labels.length} tokens; the model has ${contextLength} positions`;
  const all = [...context, ...labels];
  const fed = all.slice(Math.max(0, all.length - 1 - contextLength), -1);
  return { fed, labels, truncated: fed.length < all.length - 1 };
}

/** The tokens of context and continuation, or the reason why there is no context. */
function encodePair(
  { context, continuation }: TaskRequest,
  tokenizer: Tokenizer,
): [number[], number[]] | string {
  const { bos, prefix } = tokenizer;
  const encode = (text: string): number[] => leadWithBos(tokenizer, tokenizer.encode(text)).ids;
  const text = stripEnd(context);
  const moved = context.slice(text.length) + continuation;
  if (text !== "" || (context !== "" && bos !== null)) {
    const before = encode(text);
    return [before, encode(text + moved).slice(before.length)];
  }
  if (prefix === null) return "has an empty context, and the tokenizer has neither BOS nor EOS to begin with";
  return [[prefix], withoutLead(tokenizer.encode(moved), prefix).text];
}
