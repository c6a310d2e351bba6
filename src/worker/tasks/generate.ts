import type { GeneratedText, GenerateReport } from "#shared/comparison.ts";
import { KeystoneError } from "#shared/errors.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { leadWithBos } from "#engine/checkpoint/leadWithBos.ts";
import { generateGreedy } from "#engine/evaluate/generate.ts";
import { createMeter } from "#engine/evaluate/meter.ts";
import { ORIGINAL } from "#engine/tasks/score/runTasks.ts";
import { maximaFor } from "../calibration.ts";
import { openModel, type OpenModel } from "../openModel.ts";
import type { Talk } from "../talk.ts";
import type { TaskFields } from "../task.ts";
import { planVariant } from "../variants.ts";

/** The same prompt continued by the original and each variant: the most likely token every time, until EOS or the limit. */
export async function generateTask(
  { model: handle, variants, prompt, tokens, calibration }: TaskFields<"generate">,
  talk: Talk,
): Promise<GenerateReport> {
  const begin = performance.now();
  const model = await openModel(handle);
  const tokenizer = await model.tokenizer();
  const { ids } = leadWithBos(tokenizer, tokenizer.encode(prompt));
  requireRoom(ids.length, tokens, model.architecture.facts.contextLength);
  const maxima = await maximaFor(model, calibration, talk.watch);
  const lanes = [
    { label: "original", id: null, variant: ORIGINAL },
    ...variants.map((request) => ({
      label: recipeLabel(request.recipe),
      id: request.id,
      variant: planVariant(model, request, maxima).variant,
    })),
  ];
  const meter = createMeter(lanes.length * tokens, "tokens", talk.watch);
  const outputs: GenerateReport["outputs"] = [];
  for (const { label, id, variant } of lanes) {
    const onToken = (): Promise<void> => meter.advance(1, label);
    const written = await generateGreedy({
      ...model,
      variant,
      prompt: ids,
      tokens,
      eos: tokenizer.eos,
      onToken,
    });
    // A text that ended early is done with all its tokens.
    await meter.advance(tokens - written.length, label);
    outputs.push({ label, id, output: readable(written, tokenizer) });
  }
  return {
    prompt,
    promptTokens: ids.map((id) => ({ id, text: tokenizer.tokenText(id) })),
    outputs,
    seconds: (performance.now() - begin) / 1000,
  };
}

function readable(
  ids: readonly number[],
  tokenizer: Awaited<ReturnType<OpenModel["tokenizer"]>>,
): GeneratedText {
  return { tokens: ids.map((id) => ({ id, text: tokenizer.tokenText(id) })), text: tokenizer.decode(ids) };
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
