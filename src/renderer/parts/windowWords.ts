import { windowConvention, type WindowConvention } from "#shared/plan.ts";

/** What each way of cutting windows is called, and what it does. */
export const WINDOW_WORDS: Readonly<Record<WindowConvention, { label: string; title: string }>> = {
  bos: {
    label: "Led by BOS",
    title:
      "Windows of context − 1 tokens, each led by the BOS token: every token of the text is predicted once",
  },
  gptq: { label: "As GPTQ", title: "The text in one piece, cut into windows of context tokens" },
  rolling: { label: "Rolling", title: "lm-eval's rolling windows" },
};

/** As segments. */
export const WINDOW_OPTIONS = windowConvention.options.map((value) => ({ value, ...WINDOW_WORDS[value] }));
