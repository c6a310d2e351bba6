import { KeystoneError } from "#shared/errors.ts";
import type { Judge } from "#shared/plan.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { Cut } from "./spans.ts";

/** Longest window taken when nothing is asked for. */
const DEFAULT_CONTEXT = 2048;

/** How sentences name the conventions whose windows do not overlap. */
const WITHOUT_STRIDE = { gptq: "GPTQ-style", "llama.cpp": "llama.cpp's" } as const;

/**
 * Context, stride and prefix of a judge on a model.
 * @param contextLength the model's number of positions
 * @throws KeystoneError usage/context, usage/stride, text/no-prefix-token
 */
export function cutFor(judge: Judge, tokenizer: Tokenizer, contextLength: number): Cut {
  const context = chooseContext(judge, contextLength);
  const prefix = choosePrefix(judge, tokenizer);
  return { context, stride: chooseStride(judge, context, prefix !== null), prefix };
}

function chooseContext(judge: Judge, contextLength: number): number {
  const context = judge.context ?? Math.min(DEFAULT_CONTEXT, contextLength);
  if (context <= contextLength) return context;
  throw new KeystoneError(
    "usage/context",
    `The context is ${context} tokens, but the model has ${contextLength} positions.`,
    `Choose a context of at most ${contextLength}.`,
    { context, contextLength },
  );
}

function choosePrefix(judge: Judge, tokenizer: Tokenizer): number | null {
  if (judge.windows !== "rolling" && judge.windows !== "lm-eval") return tokenizer.bos;
  if (tokenizer.prefix !== null) return tokenizer.prefix;
  throw new KeystoneError(
    "text/no-prefix-token",
    "Rolling windows begin with BOS or EOS, but this tokenizer has neither.",
    "Choose bos, gptq or llama.cpp windows.",
  );
}

function chooseStride(judge: Judge, context: number, led: boolean): number {
  const longest = judge.windows === "bos" && led ? context - 1 : context;
  if (judge.stride === undefined) return longest;
  if ((judge.windows === "gptq" || judge.windows === "llama.cpp") && judge.stride !== context) {
    throw new KeystoneError(
      "usage/stride",
      `${WITHOUT_STRIDE[judge.windows]} windows do not overlap, but a stride of ${judge.stride} was asked for with a context of ${context}.`,
      "Leave the stride out, or choose bos, rolling or lm-eval windows.",
      { stride: judge.stride, context },
    );
  }
  if (judge.stride <= longest) return judge.stride;
  throw new KeystoneError(
    "usage/stride",
    `A stride of ${judge.stride} would skip tokens: a window holds ${longest} of them.`,
    `Choose a stride of 1 to ${longest}.`,
    { stride: judge.stride, longest },
  );
}

/** A text of which no window scores a token. */
export function nothingToScore(judge: Judge, context: number): KeystoneError {
  const whole = judge.windows === "gptq" || judge.windows === "llama.cpp";
  const name = judge.windows === "llama.cpp" ? WITHOUT_STRIDE["llama.cpp"] : WITHOUT_STRIDE.gptq;
  const why = whole ? ` ${name} windows need at least ${Math.max(context, 3)} tokens.` : "";
  return new KeystoneError(
    "text/nothing-to-score",
    `The text holds no token that can be scored.${why}`,
    whole ? "Choose a longer text or another context." : "Choose a text with at least two words.",
    { windows: judge.windows, context },
  );
}
