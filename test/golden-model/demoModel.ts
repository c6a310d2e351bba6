import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readDocuments } from "#engine/files/documents/readDocuments.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import type { Variant } from "#engine/evaluate/stream/variant.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import { judge, parseRecipe } from "#shared/plan.ts";
import { openModelAt, type OpenModel } from "../support/openModelAt.ts";

const ROOT = join(import.meta.dirname, "../../resources/demo-model");

const evaluation = z.object({
  name: z.string(),
  recipe: z.unknown().optional(),
  perplexity: z.number(),
  nll: z.number(),
  tokens: z.number(),
  kl: z.number().optional(),
  topAgreement: z.number().optional(),
});
const peaks = z.object({ layer: z.number(), input: z.number(), output: z.number(), residual: z.number() });
const accuracies = z.object({
  lastWord: z.object({ accuracy: z.number() }),
  choice: z.object({ accuracy: z.number() }),
});

const goldenFile = z.object({
  prompt: z.string(),
  superWeights: z.array(z.record(z.string(), z.number())),
  layers: z.array(peaks),
  evaluations: z.array(evaluation),
  ablations: z.array(evaluation.extend({ tasks: accuracies.optional() })),
  tasks: accuracies,
});

export type GoldenEvaluation = z.infer<typeof evaluation>;

/** Figures of an independent PyTorch reference in float32. */
export const golden = goldenFile.parse(JSON.parse(read("golden.json")));

export type Demo = OpenModel;

/** The demo model on the CPU. */
export function openDemo(): Promise<Demo> {
  return openModelAt(join(ROOT, "model"));
}

/** The evaluation text under a convention; the whole of it by default. */
export async function demoWindows(
  { tokenizer, architecture }: Demo,
  options: object = {},
): Promise<WindowSet> {
  return cutWindows(
    await readDocuments(join(ROOT, "eval.jsonl")),
    tokenizer,
    judge.parse(options),
    architecture.facts.contextLength,
  );
}

/** A recipe as a variant of the demo model. */
export function demoVariant(demo: Demo, id: string, recipe: unknown): Variant {
  return { id, plans: planRecipe(demo, parseRecipe(recipe), []).tensors };
}

/** A file beside the model. */
export function demoFile(file: string): string {
  return join(ROOT, file);
}

function read(file: string): string {
  return readFileSync(demoFile(file), "utf8");
}
