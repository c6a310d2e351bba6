// What llama.cpp's perplexity tool, lm-eval's wikitext task and GPTQ's loop give a text, and what Keystone gives it by their rules.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { judge } from "#shared/plan.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { LlamaLibraries } from "../gguf/llamaLibraries.ts";
import { PERPLEXITY_TOLERANCE } from "../peer.ts";
import { askPython } from "../python.ts";
import { cut, idsHash, part, score } from "./ours.ts";
import { sumOfSlices, type Pace, type Slice } from "./slices.ts";

/** Of perplexities that another program's float32 gives the same windows. */
const HARNESS_TOLERANCE = 1e-3;

/** What is scored: a text, the model in the forms that each program loads, and how much of the text. */
export interface Setting {
  readonly text: string;
  /** Folder in safetensors, and the same weights in a GGUF file of F32. */
  readonly model: string;
  readonly gguf: string;
  /** Scored tokens after which a comparison may end; Infinity = the whole text. */
  readonly tokens: number;
  readonly python: string;
  readonly libraries: LlamaLibraries;
  readonly pace: Pace;
}

/** A text, or what there was time for, under one convention. */
export interface Compared {
  readonly name: string;
  readonly context: number;
  readonly unit: "per token" | "per word";
  readonly found: Slice;
  readonly tolerance: number;
  /** How much of the text, e.g. "64 of 592 windows". */
  readonly sentence: string;
}

const llamaAnswer = z.object({
  tokens: z.number(),
  ids: z.string(),
  nll: z.array(z.number()),
  scored: z.number(),
});
const wikitextAnswer = z.object({
  articles: z.number(),
  nll: z.number(),
  words: z.number(),
  bytes: z.number(),
});
const gptqAnswer = z.object({ windows: z.number(), nll: z.number(), scored: z.number() });

/** Tokens in one slice, of whole windows. */
const SLICE_TOKENS = 16_384;
const SLICE_ARTICLES = 4;

/** How many windows, from the first, hold so many scored tokens. */
function windowsFor(set: WindowSet, tokens: number): number {
  const scored = set.windows.map(({ labels }) => labels.filter((label) => label >= 0).length);
  let sum = 0;
  const end = scored.findIndex((count) => (sum += count) >= tokens);
  return end < 0 ? scored.length : end + 1;
}

/** Names a comparison of a text among those that are kept. */
function keyOf({ text }: Setting, name: string, context: number): string {
  const hash = createHash("sha256").update(readText(text)).digest("hex").slice(0, 12);
  return `${name}-${context}-${hash}`;
}

export async function besideLlama(setting: Setting, context: number): Promise<Compared> {
  const { gguf, text, python, libraries, pace } = setting;
  const set = await cut(gguf, [readText(text)], judge.parse({ windows: "llama.cpp", context }));
  const [ids] = set.texts;
  const script = join(import.meta.dirname, "llama_perplexity.py");
  const slices = {
    key: keyOf(setting, "llama", context),
    count: windowsFor(set, setting.tokens),
    size: SLICE_TOKENS / context,
  };
  const { sum, pieces } = await sumOfSlices(slices, pace, async (begin, end) => {
    const job = { model: gguf, text, context, begin, end };
    const found = llamaAnswer.parse(askPython(python, script, job, [libraries.folder]));
    const ours = await score(gguf, part(set, begin, end));
    const sameIds = found.tokens === ids.length && found.ids === idsHash(ids);
    const sameWindows = found.nll.length * found.scored === ours.scored;
    return {
      ...{ ours, units: ours.scored },
      theirs: found.nll.reduce((total, value) => total + value, 0),
      failures: [
        ...(sameIds ? [] : [`llama.cpp, context ${context}: the text has other tokens there`]),
        ...(sameWindows ? [] : [`llama.cpp, context ${context}: other windows`]),
      ],
    };
  });
  return {
    ...{ name: "llama.cpp", context, unit: "per token", found: sum },
    tolerance: PERPLEXITY_TOLERANCE,
    sentence: `${pieces} of ${set.windows.length} windows`,
  };
}

export async function besideHarness(setting: Setting, context: number): Promise<Compared> {
  const { model, text, python, pace } = setting;
  const asked = judge.parse({ windows: "lm-eval", join: "articles", context });
  const whole = await cut(model, [readText(text)], asked);
  const script = join(import.meta.dirname, "lm_eval_wikitext.py");
  const slices = {
    key: keyOf(setting, "lm-eval", context),
    count: whole.windows[windowsFor(whole, setting.tokens) - 1].document + 1,
    size: SLICE_ARTICLES,
  };
  const { sum, pieces } = await sumOfSlices(slices, pace, async (begin, end) => {
    const job = { task: "wikitext", model, text, context, begin, end };
    const found = wikitextAnswer.parse(askPython(python, script, job));
    const ours = await score(model, articlesOf(whole, begin, end));
    return {
      ...{ ours, theirs: found.nll, units: found.words },
      failures:
        found.articles === whole.texts.length ? [] : [`lm-eval, context ${context}: other articles there`],
    };
  });
  const sameWords = pieces < whole.texts.length || sum.units === whole.words;
  return {
    ...{ name: "lm-eval's wikitext", context, unit: "per word", tolerance: HARNESS_TOLERANCE },
    found: sameWords
      ? sum
      : { ...sum, failures: [...sum.failures, `lm-eval, context ${context}: other words there`] },
    sentence: `${pieces} of ${whole.texts.length} articles`,
  };
}

/** The windows of articles [begin, end). */
function articlesOf(whole: WindowSet, begin: number, end: number): WindowSet {
  const before = (article: number): number =>
    whole.windows.filter(({ document }) => document < article).length;
  return part(whole, before(begin), before(end));
}

export async function besideGptq(setting: Setting, context: number): Promise<Compared> {
  const { model, text, python, pace } = setting;
  const set = await cut(model, publishedRows(readText(text)), judge.parse({ windows: "gptq", context }));
  const script = join(import.meta.dirname, "lm_eval_wikitext.py");
  const slices = {
    key: keyOf(setting, "gptq", context),
    count: windowsFor(set, setting.tokens),
    size: SLICE_TOKENS / context,
  };
  const { sum, pieces } = await sumOfSlices(slices, pace, async (begin, end) => {
    const job = { task: "gptq", model, text, context, begin, end };
    const found = gptqAnswer.parse(askPython(python, script, job));
    const ours = await score(model, part(set, begin, end));
    const alike = found.windows === set.windows.length && found.scored === ours.scored;
    return {
      ...{ ours, theirs: found.nll, units: ours.scored },
      failures: alike ? [] : [`GPTQ, context ${context}: other windows there`],
    };
  });
  return {
    ...{ name: "GPTQ's loop", context, unit: "per token", found: sum },
    tolerance: HARNESS_TOLERANCE,
    sentence: `${pieces} of ${set.windows.length} windows`,
  };
}

/** The rows of the data set on the Hub: a line each, blank lines empty. */
function publishedRows(text: string): string[] {
  return text.split(/(?<=\n)/).map((line) => (line.trim() === "" ? "" : line));
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}
