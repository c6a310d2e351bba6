import type { WindowConvention } from "#shared/plan.ts";

/** A window before it is split into what is fed and what is predicted. */
export interface Span {
  readonly document: number;
  readonly sequence: readonly number[];
  /** First index of `sequence` whose prediction counts (≥ 1: nothing predicts index 0). */
  readonly scoredFrom: number;
  readonly lead: number;
}

/** What a convention needs to cut one document. */
export interface Cut {
  readonly context: number;
  readonly stride: number;
  /** What leads windows or documents; null = nothing does. */
  readonly prefix: number | null;
}

type Cutter = (ids: readonly number[], document: number, cut: Cut) => Generator<Span>;

/** How each convention cuts a document's ids, which hold no BOS but that of `gptq`, `llama.cpp` and `lm-eval`. */
export const CUTTERS: Readonly<Record<WindowConvention, Cutter>> = {
  bos: ledSpans,
  gptq: wholeSpans,
  rolling: rollingSpans,
  "lm-eval": rollingSpans,
  "llama.cpp": halfScoredSpans,
};

function* ledSpans(
  ids: readonly number[],
  document: number,
  { context, stride, prefix }: Cut,
): Generator<Span> {
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

/** Whole windows; the first begins with the document's own BOS. */
function* wholeSpans(ids: readonly number[], document: number, { context, prefix }: Cut): Generator<Span> {
  for (let begin = 0; begin + context <= ids.length; begin += context)
    yield {
      document,
      sequence: ids.slice(begin, begin + context),
      scoredFrom: 1,
      lead: prefix !== null && begin === 0 ? 1 : 0,
    };
}

/**
 * As llama.cpp's perplexity tool: whole windows, whose first token BOS replaces where the tokenizer adds one, and of which the
 * tokens behind the middle are scored.
 */
function* halfScoredSpans(
  ids: readonly number[],
  document: number,
  { context, prefix }: Cut,
): Generator<Span> {
  const scoredFrom = Math.floor(context / 2) + 1;
  for (const span of wholeSpans(ids, document, { context, stride: context, prefix }))
    yield prefix === null
      ? { ...span, scoredFrom }
      : { ...span, sequence: [prefix, ...span.sequence.slice(1)], scoredFrom, lead: 1 };
}

/** The windows of lm-eval's get_rolling_token_windows with max_seq_len = context and context_len = context − stride + 1. */
function* rollingSpans(
  ids: readonly number[],
  document: number,
  { context, stride, prefix }: Cut,
): Generator<Span> {
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
