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
import { SOAK } from "../support/soak.ts";

const ROOT = join(import.meta.dirname, "../../resources/demo-model");
const BEGINNING = join(import.meta.dirname, "../golden/demo/golden.json");

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
const accuracy = z.object({ n: z.number(), accuracy: z.number() });
const accuracies = z.object({ lastWord: accuracy, choice: accuracy });

const figuresFile = z.object({
  evaluations: z.array(evaluation),
  ablations: z.array(evaluation.extend({ tasks: accuracies.optional() })),
  tasks: accuracies,
});
const goldenFile = figuresFile.extend({
  prompt: z.string(),
  superWeights: z.array(z.record(z.string(), z.number())),
  layers: z.array(peaks),
});

export type GoldenEvaluation = z.infer<typeof evaluation>;

/** Figures of an independent PyTorch reference in float32, over the whole text. */
export const golden = goldenFile.parse(JSON.parse(read("golden.json")));

/** The same of another one over the text's beginning, every time; those of the whole text in a soak. */
export const figures = SOAK ? golden : figuresFile.parse(JSON.parse(readFileSync(BEGINNING, "utf8")));
/** The text that `figures` are of. */
export const FIGURES_JUDGE = { tokens: figures.evaluations[0].tokens };
/** The task items that `figures` are of. */
export const FIGURES_ITEMS = figures.tasks.lastWord.n;

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
