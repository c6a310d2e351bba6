import { KeystoneError } from "#shared/errors.ts";
import type { Judge } from "#shared/plan.ts";
import { leadWithBos, withoutLead } from "../checkpoint/leadWithBos.ts";
import type { Tokenizer } from "../checkpoint/types.ts";
import { conventionSentence } from "./conventionSentence.ts";
import { countBytes, countWords } from "./textSize.ts";
import type { TokenWindow, WindowSet } from "./types.ts";

/** Longest window taken when nothing is asked for. */
const DEFAULT_CONTEXT = 2048;

/** A window before it is split into what is fed and what is predicted. */
interface Span {
  readonly document: number;
  readonly sequence: readonly number[];
  /** First index of `sequence` whose prediction counts (≥ 1: nothing predicts index 0). */
  readonly scoredFrom: number;
  readonly lead: number;
  /** Whether the document began with the leading token itself. */
  readonly ownLead: boolean;
}

type CutSpan = Omit<Span, "ownLead">;

/** What a convention needs to cut one document. */
interface Cut {
  readonly context: number;
  readonly stride: number;
  readonly prefix: number | null;
}

/**
 * Cuts documents into windows.
 *
 * `bos`: windows of context − 1 tokens led by BOS, so that every token is predicted once; where the tokenizer adds no BOS,
 * windows of `context` tokens whose first is not scored. A smaller stride makes windows overlap; only their new tokens count.
 * `gptq`: documents joined by a blank line, tokenised once, cut into whole windows of `context` tokens as GPTQ's code does; the rest is dropped.
 * `rolling`: lm-eval's loglikelihood_rolling, led by a prefix token (BOS, else EOS); `stride` = tokens predicted a window.
 * A document that begins with the leading token gets no second one: it is scored, and its words and bytes are counted, as without it.
 *
 * @param contextLength the model's number of positions
 * @throws KeystoneError usage/context, usage/stride, text/no-prefix-token, text/nothing-to-score
 */
export function cutWindows(
  documents: readonly string[],
  tokenizer: Tokenizer,
  judge: Judge,
  contextLength: number,
): WindowSet {
  const context = chooseContext(judge, contextLength);
  const prefix = choosePrefix(judge, tokenizer);
  const stride = chooseStride(judge, context, prefix !== null);
  const cut: Cut = { context, stride, prefix };

  const windows: TokenWindow[] = [];
  let scored = 0;
  let lastDocument = -1;
  let reached = false;
  const led = new Set<number>();
  for (const span of spans(documents, tokenizer, judge, cut)) {
    if (judge.tokens !== undefined && scored >= judge.tokens) {
      reached = true;
      break;
    }
    const window = toWindow(span);
    const count = window.labels.reduce((n, label) => n + (label >= 0 ? 1 : 0), 0);
    if (count === 0) continue;
    windows.push(window);
    scored += count;
    lastDocument = span.document;
    if (span.ownLead) led.add(span.document);
  }
  if (scored === 0) throw nothingToScore(judge, context);

  const used = judge.windows === "gptq" ? documents.length : lastDocument + 1;
  const facts = { documents: used, windowCount: windows.length, context, stride, windows: judge.windows };
  const texts = documents.map((text, i) => (led.has(i) ? textBehind(text, prefix, tokenizer) : text));
  return {
    windows,
    scored,
    words: texts.reduce((n, text) => n + countWords(text), 0),
    bytes: texts.reduce((n, text) => n + countBytes(text), 0),
    complete: !reached && judge.windows !== "gptq" && prefix !== null,
    convention: {
      ...facts,
      bos: judge.windows === "bos" && prefix !== null,
      text: conventionSentence({
        ...facts,
        prefixed: prefix !== null,
        prefixIsBos: tokenizer.prefix !== tokenizer.eos,
        ownLead: led.size,
        tokens: reached ? scored : null,
      }),
    },
  };
}

function* spans(documents: readonly string[], tokenizer: Tokenizer, judge: Judge, cut: Cut): Generator<Span> {
  if (judge.windows === "gptq") {
    const { ids, own } = leadWithBos(tokenizer, tokenizer.encode(documents.join("\n\n")));
    for (const span of gptqSpans(ids, cut.context, tokenizer.bos !== null)) yield { ...span, ownLead: own };
    return;
  }
  const cutDocument = judge.windows === "bos" ? bosSpans : rollingSpans;
  for (const [document, whole] of documents.entries()) {
    const { text, own } = withoutLead(tokenizer.encode(whole), cut.prefix);
    for (const span of cutDocument(text, document, cut)) yield { ...span, ownLead: own };
  }
}

function* bosSpans(
  ids: readonly number[],
  document: number,
  { context, stride, prefix }: Cut,
): Generator<CutSpan> {
  const lead = prefix === null ? 0 : 1;
  const length = context - lead;
  let covered = 0;
  for (let begin = 0; begin < ids.length && covered < ids.length; begin += stride) {
    const end = Math.min(begin + length, ids.length);
    const text = ids.slice(begin, end);
    const sequence = prefix === null ? text : [prefix, ...text];
    yield { document, sequence, scoredFrom: Math.max(1, covered - begin + lead), lead };
    covered = end;
  }
}

function* gptqSpans(ids: readonly number[], context: number, led: boolean): Generator<CutSpan> {
  for (let begin = 0; begin + context <= ids.length; begin += context) {
    yield {
      document: 0,
      sequence: ids.slice(begin, begin + context),
      scoredFrom: 1,
      lead: led && begin === 0 ? 1 : 0,
    };
  }
}

/** The windows of lm-eval's get_rolling_token_windows with max_seq_len = context and context_len = context − stride + 1. */
function* rollingSpans(
  ids: readonly number[],
  document: number,
  { context, stride, prefix }: Cut,
): Generator<CutSpan> {
  if (ids.length === 0 || prefix === null) return;
  let predicted = Math.min(context, ids.length);
  yield { document, sequence: [prefix, ...ids.slice(0, predicted)], scoredFrom: 1, lead: 1 };
  while (predicted < ids.length) {
    const count = Math.min(ids.length - predicted, stride);
    const end = predicted + count;
    const sequence = ids.slice(end - context - 1, end);
    yield { document, sequence, scoredFrom: sequence.length - count, lead: 0 };
    predicted = end;
  }
}

/** The last token of a sequence is only predicted, never fed. */
function toWindow({ document, sequence, scoredFrom, lead }: Span): TokenWindow {
  const ids = Int32Array.from(sequence.slice(0, -1));
  const labels = Int32Array.from(sequence.slice(1), (token, i) => (i + 1 >= scoredFrom ? token : -1));
  return { document, ids, labels, lead };
}

/** What a document holds behind the leading token that it begins with. */
function textBehind(text: string, lead: number | null, tokenizer: Tokenizer): string {
  const written = lead === null ? "" : tokenizer.tokenText(lead);
  return text.startsWith(written) ? text.slice(written.length) : text;
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
  if (judge.windows !== "rolling") return tokenizer.bos;
  if (tokenizer.prefix !== null) return tokenizer.prefix;
  throw new KeystoneError(
    "text/no-prefix-token",
    "Rolling windows begin with BOS or EOS, but this tokenizer has neither.",
    "Choose bos or gptq windows.",
  );
}

function chooseStride(judge: Judge, context: number, led: boolean): number {
  const longest = judge.windows === "bos" && led ? context - 1 : context;
  if (judge.stride === undefined) return longest;
  if (judge.windows === "gptq" && judge.stride !== context) {
    throw new KeystoneError(
      "usage/stride",
      `GPTQ-style windows do not overlap, but a stride of ${judge.stride} was asked for with a context of ${context}.`,
      "Leave the stride out, or choose bos or rolling windows.",
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

function nothingToScore(judge: Judge, context: number): KeystoneError {
  const why = judge.windows === "gptq" ? ` GPTQ-style windows need at least ${context} tokens.` : "";
  return new KeystoneError(
    "text/nothing-to-score",
    `The text holds no token that can be scored.${why}`,
    judge.windows === "gptq"
      ? "Choose a longer text or a smaller context."
      : "Choose a text with at least two words.",
    { windows: judge.windows, context },
  );
}
