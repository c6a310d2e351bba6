import type { ExportFormat } from "#shared/exporting.ts";
import type { ModelSummary } from "#shared/model.ts";
import { blockLabel, codecLabel } from "#shared/recipeText.ts";
import type { Recipe } from "#shared/recipe.ts";
import { isRestored } from "../run/dimensions.ts";

/** What is said of a format; what it can hold comes from its exporter, through `export:check`. */
export interface FormatText {
  title: string;
  note: string;
  runsIn: string;
  /** The runtime whose memory is estimated. */
  runtime: string;
  launch: (folder: string) => { runtime: string; line: string };
}

export const FORMATS: Record<ExportFormat, FormatText> = {
  safetensors: {
    title: "Safetensors, dequantized",
    note: "A plain checkpoint with the rounded values",
    runsIn: "Transformers, and any loader of the original",
    runtime: "Transformers",
    launch: (folder) => ({
      runtime: "Transformers",
      line: `from transformers import AutoModelForCausalLM\nmodel = AutoModelForCausalLM.from_pretrained(${JSON.stringify(folder)})`,
    }),
  },
};

/**
 * Bytes a runtime needs to run the files at the model's full context, for one sequence: the weights as stored, and keys and
 * values of every layer in the same precision. What the runtime itself takes comes on top.
 */
export function runtimeBytes(
  weightBytes: number,
  { architecture, bytes, parameters }: ModelSummary,
): { weights: number; cache: number; total: number } {
  const { layers, keyValueHeads, headSize, contextLength } = architecture;
  const precision = Math.max(2, Math.round(bytes / Math.max(1, parameters)));
  const cache = 2 * layers * keyValueHeads * headSize * contextLength * precision;
  return { weights: weightBytes, cache, total: weightBytes + cache };
}

/** A folder's name for a variant: `demo-model-rtn4-flat-16384-z9-restored`. */
export function folderName(model: string, recipe: Recipe): string {
  const clip =
    recipe.clip === null
      ? ""
      : "threshold" in recipe.clip
        ? `${recipe.clip.method === "zscore" ? "z" : recipe.clip.method}${recipe.clip.threshold}`
        : recipe.clip.method;
  const arm = isRestored(recipe) ? (recipe.holdOut ? "held-out" : "restored") : "";
  return [model, codecLabel(recipe), blockLabel(recipe.block), clip, arm]
    .filter((part) => part !== "")
    .join("-")
    .replaceAll(/[^\w.-]+/g, "-");
}

/** Joins a folder and a name the way the folder is written. */
export function joinPath(folder: string, name: string): string {
  const separator = folder.includes("\\") && !folder.includes("/") ? "\\" : "/";
  return folder.endsWith(separator) ? folder + name : folder + separator + name;
}

/** The folder that holds a path. */
export function parentOf(path: string): string {
  const at = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return at <= 0 ? path.slice(0, Math.max(at, 1)) : path.slice(0, at);
}

/** Whether the written files score what was judged, in one sentence. */
export function verifiedSentence(written: string, judged: string, same: boolean): string {
  return same
    ? `The exported files score ${written}, as the variant was judged`
    : `The exported files score ${written}, but the variant was judged ${judged}`;
}
