import {
  joinsOf,
  USUAL_JOIN,
  windowConvention,
  type Judge,
  type RowJoin,
  type WindowConvention,
} from "#shared/plan.ts";

/** What each way of cutting windows is called, and what it does. */
export const WINDOW_WORDS: Readonly<Record<WindowConvention, { label: string; title: string }>> = {
  bos: {
    label: "BOS-prefixed",
    title:
      "Windows of context − 1 tokens, each starting with the BOS token: every token of the text is predicted once",
  },
  gptq: {
    label: "GPTQ-style",
    title: "As GPTQ's code does: the text in one piece, cut into whole windows of context tokens",
  },
  rolling: {
    label: "Rolling windows",
    title:
      "lm-eval's rolling windows: each document starts with one BOS, or EOS where there is none, and every token is predicted once",
  },
  "lm-eval": {
    label: "lm-eval",
    title:
      "Exactly as lm-eval: its rolling windows, with BOS twice in front of each document where the tokenizer adds one",
  },
  "llama.cpp": {
    label: "llama.cpp",
    title:
      "llama.cpp's perplexity: the text in one piece; in each window the tokens after the middle are scored",
  },
};

/** As segments. */
export const WINDOW_OPTIONS = windowConvention.options.map((value) => ({ value, ...WINDOW_WORDS[value] }));

/** What becomes of a text's rows, in words short enough to stand side by side. */
export const JOIN_WORDS: Readonly<Record<RowJoin, { label: string; title: string }>> = {
  rows: {
    label: "Each row",
    title: "Each row of the text is a document of its own; rows without text are left out",
  },
  "blank-line": {
    label: "Blank lines",
    title: "All rows are joined by blank lines into one document, as GPTQ's code does with WikiText",
  },
  concat: {
    label: "As is",
    title: "All rows are joined into one document without a separator, as in the file",
  },
  articles: {
    label: "Articles",
    title:
      "WikiText's articles, each a document, prepared as lm-eval's wikitext task does; words and bytes are those of the text as published",
  },
};

/** As segments: what a convention can do with rows. */
export function joinOptions(
  windows: WindowConvention,
): readonly { value: RowJoin; label: string; title: string }[] {
  return joinsOf(windows).map((value) => ({ value, ...JOIN_WORDS[value] }));
}

/** What becomes of rows under a judge: what was chosen, else what the convention's authors do. */
export function joinOf({
  windows,
  join,
}: Pick<Judge, "windows"> & { join?: RowJoin | null | undefined }): RowJoin {
  return join ?? USUAL_JOIN[windows];
}
