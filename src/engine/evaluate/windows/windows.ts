import type { Judge } from "#shared/plan.ts";
import { leadWithBos, withoutLead } from "#engine/tokenizer/leadWithBos.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { conventionSentence } from "./conventionSentence.ts";
import { judgedTexts, type JudgedText } from "./judgedTexts.ts";
import { CUTTERS, type Span } from "./spans.ts";
import { countBytes, countWords } from "./textSize.ts";
import type { TokenWindow, WindowSet } from "./windowSet.ts";
import { cutFor, nothingToScore } from "./windowRules.ts";

/**
 * Cuts the rows of a text into windows.
 *
 * `bos`: windows of context − 1 tokens led by BOS, so that every token is predicted once; where the tokenizer adds no BOS,
 * windows of `context` tokens whose first is not scored. A smaller stride makes windows overlap; only their new tokens count.
 * `gptq`: rows joined by blank lines, tokenised once, cut into whole windows of `context` tokens as GPTQ's code does; the rest is dropped.
 * `llama.cpp`: the text in one piece, whole windows, of which the tokens behind the middle are scored, as its perplexity tool does.
 * `rolling`: lm-eval's loglikelihood_rolling, led by a prefix token (BOS, else EOS); `stride` = tokens predicted a window.
 * `lm-eval`: the same as lm-eval 0.4.13 itself runs it, which predicts the tokenizer's own BOS behind that prefix.
 * A document that begins with the leading token gets no second one but from `lm-eval`: it is scored, and its words and bytes are
 * counted, as without it.
 *
 * @param rows of the text file, blank ones included; `judge.join` says what becomes of them
 * @param contextLength the model's number of positions
 * @throws KeystoneError usage/context, usage/stride, usage/join, text/no-prefix-token, text/nothing-to-score
 */
export function cutWindows(
  rows: readonly string[],
  tokenizer: Tokenizer,
  judge: Judge,
  contextLength: number,
): WindowSet {
  const cut = cutFor(judge, tokenizer, contextLength);
  const { texts, join, rows: holding } = judgedTexts(rows, judge);

  const windows: TokenWindow[] = [];
  const used: EncodedText[] = [];
  let scored = 0;
  const full = (): boolean => judge.tokens !== undefined && scored >= judge.tokens;
  let reached = false;
  for (const text of texts) {
    if ((reached = full())) break;
    const encoded = encodeText(text, judge, tokenizer, cut.prefix);
    used.push(encoded);
    for (const span of CUTTERS[judge.windows](encoded.ids, used.length - 1, cut)) {
      if ((reached = full())) break;
      const window = toWindow(span);
      const count = window.labels.reduce((n, label) => n + (label >= 0 ? 1 : 0), 0);
      if (count === 0) continue;
      windows.push(window);
      scored += count;
    }
    if (reached) break;
  }
  if (scored === 0) throw nothingToScore(judge, cut.context);

  const oneText = join === "blank-line" || join === "concat";
  const sum = (of: (text: EncodedText) => number): number => used.reduce((n, text) => n + of(text), 0);
  const size = {
    textTokens: sum(({ textTokens }) => textTokens),
    words: sum(({ words }) => words),
    bytes: sum(({ bytes }) => bytes),
  };
  const facts = {
    documents: oneText ? holding : used.length,
    windowCount: windows.length,
    ...{ context: cut.context, stride: cut.stride, windows: judge.windows, join },
  };
  return {
    windows,
    scored,
    ...size,
    texts: used.map(({ ids }) => ids),
    prefix: cut.prefix,
    convention: {
      ...facts,
      ...size,
      bos: judge.windows === "bos" && cut.prefix !== null,
      text: conventionSentence({
        ...facts,
        ...size,
        scored,
        addsBos: tokenizer.bos !== null,
        prefixIsBos: tokenizer.prefix !== tokenizer.eos,
        ownLead: used.filter(({ own }) => own).length,
        limited: reached,
      }),
    },
  };
}

/** A text as its convention tokenises it. */
interface EncodedText extends Pick<JudgedText, "words" | "bytes"> {
  readonly ids: readonly number[];
  /** Of `ids`, those that the convention may score. */
  readonly textTokens: number;
  /** Whether the text begins with the leading token itself. */
  readonly own: boolean;
}

function encodeText(
  judged: JudgedText,
  { windows }: Judge,
  tokenizer: Tokenizer,
  prefix: number | null,
): EncodedText {
  const { text, words, bytes } = judged;
  if (windows === "lm-eval") {
    const ids = lmEvalIds(text, tokenizer, prefix);
    return { words, bytes, ids, textTokens: ids.length, own: false };
  }
  // llama.cpp's tools leave out one line break at the end of a file
  const encoded = tokenizer.encode(windows === "llama.cpp" ? text.replace(/\n$/, "") : text);
  const { own, text: plain } = withoutLead(encoded, prefix);
  const behind = own ? textBehind(text, prefix, tokenizer) : null;
  return {
    words: behind === null ? words : countWords(behind),
    bytes: behind === null ? bytes : countBytes(behind),
    // windows that are cut across a text hold its BOS, the others are led by it one by one
    ids: windows === "gptq" || windows === "llama.cpp" ? leadWithBos(tokenizer, encoded).ids : plain,
    ...{ textTokens: plain.length, own },
  };
}

/** As lm-eval's tokenizer encodes: with BOS where the tokenizer adds one, but for a text that begins with the prefix token's own text. */
function lmEvalIds(text: string, tokenizer: Tokenizer, prefix: number | null): readonly number[] {
  const plain = tokenizer.encode(text);
  const { bos } = tokenizer;
  const found = prefix !== null && text.startsWith(tokenizer.decode([prefix], { special: true }));
  return bos === null || found ? plain : [bos, ...plain];
}

/** What a document holds behind the leading token that it begins with. */
function textBehind(text: string, lead: number | null, tokenizer: Tokenizer): string {
  const written = lead === null ? "" : tokenizer.tokenText(lead);
  return text.startsWith(written) ? text.slice(written.length) : text;
}

/** The last token of a sequence is only predicted, never fed. */
function toWindow({ document, sequence, scoredFrom, lead }: Span): TokenWindow {
  const ids = Int32Array.from(sequence.slice(0, -1));
  const labels = Int32Array.from(sequence.slice(1), (token, i) => (i + 1 >= scoredFrom ? token : -1));
  return { document, ids, labels, lead };
}
