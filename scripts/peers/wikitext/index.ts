// WikiText under the three usual conventions: llama.cpp's perplexity tool, lm-eval's wikitext task and GPTQ's loop score the same
// text of the same model, each by its own rules, and Keystone by those that it names after them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { endingOf, PLAIN_TEXT_ENDINGS } from "#shared/texts.ts";
import { exportAs } from "../exportAs.ts";
import { exportGguf } from "../gguf/exportGguf.ts";
import { llamaLibraries } from "../gguf/llamaLibraries.ts";
import { markdownTable, PeerMissing, type Check, type Peer, type PeerReport } from "../peer.ts";
import { smolLm2 } from "../smolLm2.ts";
import { besideGptq, besideHarness, besideLlama, type Compared, type Setting } from "./conventions.ts";
import { paceFromEnvironment } from "./slices.ts";

const KEEP_ALL = { scheme: "q8_0", bits: 8, granularity: "group:32", ignore: ["*"] };

/** In the order of what is wanted first, where there is time for some of it only. */
const COMPARISONS = [
  [besideLlama, 512],
  [besideHarness, 2048],
  [besideLlama, 2048],
  [besideGptq, 2048],
  [besideHarness, 512],
  [besideGptq, 512],
] as const;

/** @throws PeerMissing where no text was named */
function namedText(): string {
  const text = process.env["KEYSTONE_WIKITEXT"] ?? "";
  if (PLAIN_TEXT_ENDINGS.includes(endingOf(text))) return text;
  throw new PeerMissing(
    "KEYSTONE_WIKITEXT names no text. Set it to the raw test split of WikiText-2 (wiki.test.raw), and KEYSTONE_WIKITEXT_TOKENS or KEYSTONE_WIKITEXT_MINUTES to stop early.",
  );
}

function checkOf({ name, context, unit, found, tolerance, sentence }: Compared): Check {
  const perplexity = (nll: number): number => Math.exp(nll / found.units);
  return {
    subject: `${name}, context ${context}, ${sentence}, ${unit}`,
    arithmetic: "float32",
    ...{ logits: null, logitTolerance: null },
    perplexity: { ours: perplexity(found.ours.nll), theirs: perplexity(found.theirs) },
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
      compared.found.ours.scored.toLocaleString("en-US"),
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
    const setting: Setting = { text, model, gguf, tokens, python, libraries, pace: paceFromEnvironment() };
    const found: Compared[] = [];
    for (const [beside, context] of COMPARISONS) found.push(await beside(setting, context));
    return {
      versions: { ...libraries.versions, lm_eval: "0.4.13", Node: process.versions.node },
      text: `SmolLM2-135M-Instruct (the weights of its Q4_1 file, in float32) on ${basename(text)}.\n\n${markdownTable(HEAD, found.map(row))}`,
      checks: found.map(checkOf),
      failures: found.flatMap((compared) => compared.found.failures),
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
