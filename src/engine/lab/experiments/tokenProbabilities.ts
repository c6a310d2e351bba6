import type { Note } from "#shared/notes.ts";
import { basename } from "node:path";
import { KeystoneError } from "#shared/errors.ts";
import type { LabReportOf, LabRequestOf } from "#shared/lab/index.ts";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { headUnits } from "#engine/evaluate/stream/headUnits.ts";
import type { BatchPlan } from "#engine/evaluate/stream/hiddenStates.ts";
import { readHead } from "#engine/evaluate/stream/judgeHead.ts";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { layerPasses, streamLayers } from "#engine/evaluate/stream/streamLayers.ts";
import { superWeightsPruned } from "#engine/superweight/ablate/ablations.ts";
import { labFacts, requireSuperWeights } from "../run/labFacts.ts";
import { NextTokens } from "./nextTokens.ts";
import {
  passages,
  promptConvention,
  promptPlan,
  toPrompt,
  withoutLastWord,
  type Prompt,
} from "../run/prompts.ts";
import { stopWordTokens } from "./stopWords.ts";
import type { Experiment, LabRun } from "../run/experiment.ts";
import { count, figure, percent, plural } from "../run/words.ts";

type Run = LabRun<LabRequestOf<"token-probabilities">>;
type Report = LabReportOf<"token-probabilities">;

/** Prompts whose distributions are looked at together; a report is told after each such part. */
const PROMPTS_PER_PART = 32;
/** The paper's stop words gain at least this much; less is no confirmation. */
const CONFIRMED = 1.5;

/**
 * The next-token distribution with and without the super weights, averaged over prompts [arXiv:2411.07191, Figure 5]: which tokens
 * gain and lose, the share of stop words and punctuation, entropy and KL. One pass over the checkpoint for both.
 * @throws KeystoneError lab/no-super-weights, usage/empty-prompt, text/no-context, text/…, checkpoint/not-finite, job/cancelled
 */
export const tokenProbabilities: Experiment<"token-probabilities"> = async (run) => {
  const begin = performance.now();
  requireSuperWeights(run);
  const { tokenizer, architecture } = run;
  const { prompts, tooShort } = await choosePrompts(run);
  const plan = promptPlan(prompts, "last");
  const { hiddenSize, vocabulary } = architecture.facts;
  const tokens = Array.from({ length: vocabulary }, (_, id) => tokenizer.tokenText(id));
  const stopWords = stopWordTokens(tokens.map((text, id) => (isWhole(tokenizer, id) ? text : "")));
  const next = new NextTokens(vocabulary, stopWords);

  const report = (done: number): Report => {
    const figures = next.figures((id) => tokens[id]);
    return {
      experiment: "token-probabilities",
      ...labFacts(run, promptConvention(run, prompts), begin, { done, of: prompts.length, unit: "prompt" }),
      complete: done === prompts.length,
      finding: findingOf(figures),
      notes: notesOf(run, prompts, tooShort),
      ...figures,
      examples: figures.examples.map(({ prompt, ...tokens }) => ({ text: prompts[prompt].text, ...tokens })),
    };
  };

  const { original, pruned, advance } = await bothModels(run, plan);
  const head = await readHead(run);
  for (let from = 0; from < prompts.length; from += PROMPTS_PER_PART) {
    const to = Math.min(prompts.length, from + PROMPTS_PER_PART);
    const part = (states: Float32Array): Float32Array => states.subarray(from * hiddenSize, to * hiddenSize);
    next.add(
      await run.forward.logProbabilities(part(original), head),
      await run.forward.logProbabilities(part(pruned), head),
    );
    await advance(2 * (to - from));
    if (to < prompts.length) run.onReport?.(report(to));
  }
  return report(prompts.length);
};

/** False for some bytes of a character: what is written in their place may look like punctuation, such as `¡` for the byte A1. */
function isWhole(tokenizer: Tokenizer, id: number): boolean {
  return !tokenizer.decode([id], { special: true }).includes("\ufffd");
}

/** Hidden states of the prompts' last tokens, (prompts, hidden), of the original and without the super weights. */
async function bothModels(run: Run, plan: BatchPlan) {
  const variants = [superWeightsPruned(run, run.superWeights).variant];
  const options = { original: true, checkFinite: true };
  const units = headUnits(run.architecture);
  const total = plan.tokens * layerPasses(run, variants, options) + 2 * plan.scored * units;
  const meter = createMeter(total, "tokens·layers", run);
  const { original, lanes } = await streamLayers(run, plan, variants, options, meter, run);
  const pruned = lanes[0].final;
  if (original === null || pruned === null)
    throw new Error("both models were asked for, but one did not come");
  const advance = (rows: number): Promise<void> => meter.advance(rows * units, "output head");
  return { original, pruned, advance };
}

/** What the models are asked, and how many of the text's documents are too short to ask with. */
interface Chosen {
  readonly prompts: readonly Prompt[];
  readonly tooShort: { readonly documents: number; readonly of: number };
}

/** @throws KeystoneError text/no-context, usage/empty-prompt */
async function choosePrompts(run: Run): Promise<Chosen> {
  const { prompts, promptCount, text } = run.request;
  if (prompts.length > 0) {
    const own = prompts.map((prompt) => toPrompt(run, prompt, "end"));
    return { prompts: own, tooShort: { documents: 0, of: 0 } };
  }
  const documents = await readDocuments(text);
  const hasContext = (piece: string): boolean => withoutLastWord(piece) !== "";
  const contexts = passages(documents, promptCount, hasContext).map(withoutLastWord);
  if (contexts.length === 0) throw noContext(text);
  return {
    prompts: contexts.map((context) => toPrompt(run, context, "end")),
    tooShort: { documents: documents.filter((it) => !hasContext(it)).length, of: documents.length },
  };
}

function noContext(text: string): KeystoneError {
  const file = basename(text);
  return new KeystoneError(
    "text/no-context",
    `No document of ${file} has two words or more, so there is no context whose next token could be predicted.`,
    "Name a text with sentences in it, or give prompts of your own.",
    { file },
  );
}

function findingOf({ stopWords, entropy, kl, tokens }: ReturnType<NextTokens["figures"]>): Note {
  const factor = stopWords.pruned / stopWords.original;
  const moved = `stop words and punctuation take ${percent(stopWords.pruned)} of the next token's probability, ${percent(stopWords.original)} with them (× ${figure(factor)})`;
  const rises = factor >= CONFIRMED;
  const confirmed = rises ? "" : "; the paper's rise of stop words is not seen here";
  const riser = tokens.toSorted((a, b) => b.pruned - b.original - (a.pruned - a.original))[0];
  const rise = riser
    ? `; "${riser.text.trim()}" rises most, from ${percent(riser.original)} to ${percent(riser.pruned)}`
    : "";
  return {
    code: rises ? "token-probabilities/rise" : "token-probabilities/no-rise",
    text: `Without the super weights ${moved}${confirmed}${rise}; KL ${figure(kl)} nats, entropy ${figure(entropy.original)} to ${figure(entropy.pruned)} nats.`,
  };
}

function notesOf(
  { request }: Run,
  prompts: readonly Prompt[],
  { documents, of }: Chosen["tooShort"],
): Note[] {
  const notes: Note[] = [
    {
      code: "stop-words/meaning",
      text: "A token counts as a stop word where its text, case aside, is a word of the English list (with its leading space where the vocabulary has one), what follows a contraction's apostrophe, or punctuation alone.",
    },
  ];
  const cut = prompts.filter((prompt) => prompt.cut).length;
  if (cut > 0)
    notes.push({
      code: "prompts/cut",
      text: `${plural(cut, "prompt is", "prompts are")} longer than the model's positions and ${cut === 1 ? "was" : "were"} cut in front.`,
    });
  if (documents > 0)
    notes.push({
      code: "prompts/too-short",
      text: `${count(documents)} of the text's ${plural(of, "document")} ${documents === 1 ? "was" : "were"} left out as too short: a context is what stands before a last word.`,
    });
  if (request.prompts.length === 0 && prompts.length < request.promptCount)
    notes.push({
      code: "prompts/too-few",
      text: `The text has contexts for ${count(prompts.length)} of the ${plural(request.promptCount, "prompt")} asked for.`,
    });
  notes.push({
    code: "paper/stop-words",
    text: 'In the paper (500 LAMBADA prompts) stop words rise two- to fivefold over several models ("the" twofold, "." fivefold, "," tenfold in Llama-7B) without the super weights, and others fall two- to threefold or more.',
  });
  return notes;
}
