import type { GenerateReport, TextEnd } from "#shared/comparison.ts";
import { KeystoneError } from "#shared/errors.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { readPrompt, type ReadPrompt } from "#engine/formats/tokens/readPrompt.ts";
import { endTokens } from "#engine/formats/tokens/endTokens.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import { generate, type WrittenText } from "#engine/evaluate/generate/generate.ts";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { ORIGINAL } from "#engine/tasks/score/runTasks.ts";
import { maximaFor } from "../model/calibration.ts";
import { openModel } from "../model/openModel.ts";
import type { Talk } from "../protocol/talk.ts";
import type { TaskFields } from "../protocol/task.ts";
import { planVariant } from "../model/variants.ts";

/** A report is told at most this often, in milliseconds; the last one always is. */
const TELL_MS = 100;

/**
 * The same prompt continued by the original and each variant, side by side: the most likely token every time, until a token that
 * ends a text or the limit. What is there so far is told as it is written, also when the job is cancelled.
 */
export async function generateTask(
  {
    model: handle,
    variants,
    prompt,
    tokens,
    template,
    system,
    turns = [],
    calibration,
  }: TaskFields<"generate">,
  talk: Talk,
): Promise<GenerateReport> {
  const begin = performance.now();
  const model = await openModel(handle);
  const tokenizer = await model.tokenizer();
  const reads: ReadPrompt[] = [];
  for (let i = 0; i < (turns.length > 0 ? 1 + variants.length : 1); i++) {
    const earlier = turns.map((turn) => ({ prompt: turn.prompt, answer: turn.answers[i] ?? "" }));
    reads.push(await readPrompt(handle.path, tokenizer, { prompt, template, system, earlier }));
  }
  const [read] = reads;
  const longest = Math.max(...reads.map(({ ids }) => ids.length));
  requireRoom(longest, tokens, model.architecture.facts.contextLength);
  const ends = await endTokens(model.checkpoint, tokenizer);
  const maxima = await maximaFor(model, calibration, talk.watch);
  const planned = variants.map((request) => planVariant(model, request, maxima).variant);
  const named = [
    { label: "original", id: null },
    ...variants.map(({ recipe, id }) => ({ label: recipeLabel(recipe), id })),
  ];

  let texts: readonly WrittenText[] = [];
  const report = (unfinished: TextEnd | null): GenerateReport => ({
    prompt,
    ...describe(read, ends, tokenizer),
    outputs: named.map((name, i) => ({
      ...name,
      ...textOf(texts.at(i), tokenizer, unfinished),
      ...(turns.length > 0 && { rendered: reads[i].rendered }),
    })),
    seconds: (performance.now() - begin) / 1000,
  });
  const meter = createMeter(named.length * tokens, "tokens", talk.watch);
  let told = -Infinity;
  let counted = 0;
  try {
    talk.post({ type: "generated", report: report(null) });
    await generate({
      ...model,
      control: talk.watch.control,
      variants: [ORIGINAL, ...planned],
      prompts: reads.map(({ ids }) => ids),
      tokens,
      ends,
      onStep: async (now) => {
        texts = now;
        if (performance.now() - told >= TELL_MS) {
          told = performance.now();
          talk.post({ type: "generated", report: report(null) });
        }
        const done = now.reduce((sum, text) => sum + (text.end === null ? text.ids.length : tokens), 0);
        await meter.advance(done - counted, "generating");
        counted = done;
      },
    });
    return report(null);
  } catch (thrown) {
    talk.post({ type: "generated", report: report("cancelled") });
    throw thrown;
  }
}

function describe(
  { rendered, template, ids, notes }: ReadPrompt,
  ends: readonly number[],
  tokenizer: Tokenizer,
): Pick<GenerateReport, "rendered" | "template" | "promptTokens" | "endTokens" | "notes"> {
  const tokensOf = (all: readonly number[]) => all.map((id) => ({ id, text: tokenizer.tokenText(id) }));
  return {
    rendered,
    template,
    promptTokens: tokensOf(ids),
    endTokens: tokensOf(ends),
    notes: [
      ...notes,
      ...(ends.length === 0
        ? [
            {
              code: "prompt/no-end",
              text: "The model's files name no token that ends a text: every text goes on to the limit.",
            },
          ]
        : []),
    ],
  };
}

/** @param unfinished what a text that has not ended is called */
function textOf(
  text: WrittenText | undefined,
  tokenizer: Tokenizer,
  unfinished: TextEnd | null,
): Omit<GenerateReport["outputs"][number], "label" | "id"> {
  const { ids, end, endToken, rate } = text ?? {
    ...{ ids: [], end: null, endToken: null },
    rate: { tokens: 0, seconds: 0 },
  };
  const named = (id: number) => ({ id, text: tokenizer.tokenText(id) });
  return {
    output: { tokens: ids.map(named), text: tokenizer.decode(ids) },
    end: end ?? unfinished,
    endToken: endToken === null ? null : named(endToken),
    tokensPerSecond: rate.tokens > 0 && rate.seconds > 0 ? rate.tokens / rate.seconds : null,
  };
}

function requireRoom(prompt: number, tokens: number, context: number): void {
  if (prompt > 0 && prompt + tokens <= context) return;
  throw new KeystoneError(
    "usage/prompt-length",
    prompt === 0
      ? "The prompt holds no token."
      : `The prompt takes ${prompt} tokens and ${tokens} more were asked for, but the model has ${context} positions.`,
    prompt === 0 ? "Write a few words." : "Shorten the prompt, or ask for fewer tokens.",
    { prompt, tokens, context },
  );
}
