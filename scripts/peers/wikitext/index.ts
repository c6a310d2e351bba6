// WikiText under the three usual conventions: llama.cpp's perplexity tool, lm-eval's wikitext task and GPTQ's loop score the same
// text of the same model, each by its own rules, and Keystone by those that it names after them.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { endingOf, PLAIN_TEXT_ENDINGS } from "#shared/texts.ts";
import { judge, type Judge } from "#shared/plan.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { exportAs } from "../exportAs.ts";
import { exportGguf } from "../gguf/exportGguf.ts";
import { llamaLibraries, type LlamaLibraries } from "../gguf/llamaLibraries.ts";
import {
  markdownTable,
  PeerMissing,
  PERPLEXITY_TOLERANCE,
  type Check,
  type Peer,
  type PeerReport,
} from "../peer.ts";
import { askPython } from "../python.ts";
import { smolLm2 } from "../smolLm2.ts";
import { cut, idsHash, part, score } from "./ours.ts";

/** Of the word perplexity: the same windows in another program's float32. */
const HARNESS_TOLERANCE = 1e-3;
const CONTEXTS = [2048, 512] as const;
const KEEP_ALL = { codec: "q8_0", bits: 8, block: "group:32", keep: ["*"] };

/** What is scored: a text, the model in the forms that each program loads, and how much of the text. */
interface Setting {
  readonly text: string;
  /** Folder in safetensors, and the same weights in a GGUF file of F32. */
  readonly model: string;
  readonly gguf: string;
  /** Scored tokens after which a comparison may end; Infinity = the whole text. */
  readonly tokens: number;
  readonly python: string;
  readonly libraries: LlamaLibraries;
}

const compared = z.object({
  name: z.string(),
  context: z.number(),
  unit: z.enum(["per token", "per word"]),
  ours: z.object({ nll: z.number(), scored: z.number() }),
  theirs: z.number(),
  /** What the logarithm of the shown perplexity is per. */
  units: z.number(),
  tolerance: z.number(),
  sentence: z.string(),
  failures: z.array(z.string()),
});
type Compared = z.infer<typeof compared>;

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

/** How many windows, from the first, hold so many scored tokens. */
function windowsFor(set: WindowSet, tokens: number): number {
  const scored = set.windows.map(({ labels }) => labels.filter((label) => label >= 0).length);
  let sum = 0;
  const end = scored.findIndex((count) => (sum += count) >= tokens);
  return end < 0 ? scored.length : end + 1;
}

async function besideLlama(setting: Setting, context: number): Promise<Compared> {
  const { gguf, text, python, libraries } = setting;
  const set = await cut(gguf, [readText(text)], judge.parse({ windows: "llama.cpp", context }));
  const end = windowsFor(set, setting.tokens);
  const found = llamaAnswer.parse(
    askPython(
      python,
      join(import.meta.dirname, "llama_perplexity.py"),
      { model: gguf, text, context, begin: 0, end },
      [libraries.folder],
    ),
  );
  const ours = await score(gguf, part(set, 0, end));
  const [ids] = set.texts;
  const sameIds = found.tokens === ids.length && found.ids === idsHash(ids);
  return {
    ...{ name: "llama.cpp", context, unit: "per token", ours, units: ours.scored },
    theirs: found.nll.reduce((sum, value) => sum + value, 0),
    tolerance: PERPLEXITY_TOLERANCE,
    sentence: `${end} of ${set.windows.length} windows`,
    failures: [
      ...(sameIds ? [] : [`llama.cpp, context ${context}: the text has other tokens there`]),
      ...(found.nll.length * found.scored === ours.scored
        ? []
        : [`llama.cpp, context ${context}: other windows`]),
    ],
  };
}

async function besideHarness(setting: Setting, context: number): Promise<Compared> {
  const { model, text, python } = setting;
  const asked: Judge = judge.parse({ windows: "lm-eval", join: "articles", context });
  const whole = await cut(model, [readText(text)], asked);
  const last = whole.windows[windowsFor(whole, setting.tokens) - 1].document + 1;
  const end = whole.windows.filter(({ document }) => document < last).length;
  const job = { task: "wikitext", model, text, context, begin: 0, end: last };
  const found = wikitextAnswer.parse(
    askPython(python, join(import.meta.dirname, "lm_eval_wikitext.py"), job),
  );
  const ours = await score(model, part(whole, 0, end));
  const alike =
    found.articles === whole.texts.length && (last < found.articles || found.words === whole.words);
  return {
    ...{ name: "lm-eval's wikitext", context, unit: "per word", ours, units: found.words },
    ...{ theirs: found.nll, tolerance: HARNESS_TOLERANCE },
    sentence: `${last} of ${whole.texts.length} articles`,
    failures: alike ? [] : [`lm-eval, context ${context}: other articles or words there`],
  };
}

async function besideGptq(setting: Setting, context: number): Promise<Compared> {
  const { model, text, python } = setting;
  const set = await cut(model, publishedRows(readText(text)), judge.parse({ windows: "gptq", context }));
  const end = windowsFor(set, setting.tokens);
  const job = { task: "gptq", model, text, context, begin: 0, end };
  const found = gptqAnswer.parse(askPython(python, join(import.meta.dirname, "lm_eval_wikitext.py"), job));
  const ours = await score(model, part(set, 0, end));
  return {
    ...{ name: "GPTQ's loop", context, unit: "per token", ours, units: ours.scored },
    ...{ theirs: found.nll, tolerance: HARNESS_TOLERANCE },
    sentence: `${end} of ${set.windows.length} windows`,
    failures:
      found.windows === set.windows.length && found.scored === ours.scored
        ? []
        : [`GPTQ, context ${context}: other windows there`],
  };
}

/** The rows of the data set on the Hub: a line each, blank lines empty. */
function publishedRows(text: string): string[] {
  return text.split(/(?<=\n)/).map((line) => (line.trim() === "" ? "" : line));
}

function readText(path: string): string {
  return readFileSync(path, "utf8");
}

/** @throws PeerMissing where no text was named */
function namedText(): string {
  const text = process.env["KEYSTONE_WIKITEXT"] ?? "";
  if (PLAIN_TEXT_ENDINGS.includes(endingOf(text))) return text;
  throw new PeerMissing(
    "KEYSTONE_WIKITEXT names no text. Set it to the raw test split of WikiText-2 (wiki.test.raw), and KEYSTONE_WIKITEXT_TOKENS to stop early.",
  );
}

function checkOf({ name, context, unit, ours, theirs, units, tolerance, sentence }: Compared): Check {
  const perplexity = (nll: number): number => Math.exp(nll / units);
  return {
    subject: `${name}, context ${context}, ${sentence}, ${unit}`,
    arithmetic: "float32",
    ...{ logits: null, logitTolerance: null },
    perplexity: { ours: perplexity(ours.nll), theirs: perplexity(theirs) },
    perplexityTolerance: tolerance,
  };
}

function row(compared: Compared): string[] {
  const { perplexity, perplexityTolerance } = checkOf(compared);
  const { ours, theirs } = perplexity;
  return [
    ...[
      compared.name,
      String(compared.context),
      compared.sentence,
      compared.ours.scored.toLocaleString("en-US"),
    ],
    ...[compared.unit, ours.toFixed(4), theirs.toFixed(4)],
    `${Math.abs(theirs / ours - 1).toExponential(1)} (${perplexityTolerance})`,
  ];
}

const HEAD = [
  "convention of",
  "context",
  "of the text",
  "tokens scored",
  "perplexity",
  "here",
  "there",
  "difference (bound)",
];

/**
 * One comparison, from the folder that KEYSTONE_WIKITEXT_KEEP names where a stopped run left it there: the whole text takes hours.
 */
async function once(
  beside: (setting: Setting, context: number) => Promise<Compared>,
  setting: Setting,
  context: number,
): Promise<Compared> {
  const folder = process.env["KEYSTONE_WIKITEXT_KEEP"];
  if (!folder) return beside(setting, context);
  const text = createHash("sha256").update(readText(setting.text)).digest("hex").slice(0, 12);
  const file = join(folder, `${beside.name}-${context}-${setting.tokens}-${text}.json`);
  if (existsSync(file)) return compared.parse(JSON.parse(readText(file)));
  const found = await beside(setting, context);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify(found));
  return found;
}

async function run(python: string): Promise<PeerReport> {
  const text = namedText();
  const source = smolLm2();
  const libraries = llamaLibraries();
  const folder = mkdtempSync(join(tmpdir(), "keystone-peers-wikitext-"));
  try {
    const model = join(folder, "float32");
    await exportAs(source, KEEP_ALL, model, { format: "safetensors" });
    const gguf = await exportGguf(model, KEEP_ALL, join(folder, "gguf"));
    const tokens = Number(process.env["KEYSTONE_WIKITEXT_TOKENS"] ?? Infinity);
    const setting: Setting = { text, model, gguf, tokens, python, libraries };
    const found: Compared[] = [];
    for (const beside of [besideLlama, besideHarness, besideGptq])
      for (const context of CONTEXTS) {
        process.stderr.write(`${beside.name}, context ${context} …\n`);
        found.push(await once(beside, setting, context));
      }
    return {
      versions: { ...libraries.versions, lm_eval: "0.4.13", Node: process.versions.node },
      text: `SmolLM2-135M-Instruct (the weights of its Q4_1 file, in float32) on ${basename(text)}.\n\n${markdownTable(HEAD, found.map(row))}`,
      checks: found.map(checkOf),
      failures: found.flatMap(({ failures }) => failures),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const peer: Peer = {
  title: "WikiText in llama.cpp, lm-eval and GPTQ's loop",
  section: "evaluation.md#held-against-llamacpp-and-lm-eval",
  run,
};
