import { restoredCount } from "#engine/quantize/plan/bitsPerWeight.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { parseGranularity, type Granularity, type Recipe } from "#shared/recipe.ts";
import { schemeName, SCHEMES } from "#shared/schemes/index.ts";
import type { ExportModel } from "../../write/exporter.ts";
import { activationProblems, recipeSettings } from "../../write/problems.ts";

const SUBJECT = "An ONNX decoder";
const BITS = [4, 8];
const [SMALLEST_BLOCK, LARGEST_BLOCK] = [16, 256];
/** Restored weights of one matrix: past some thousand their products cost as much as the packed one. */
export const MAX_RESTORED = 16_384;

type Settings = Pick<TensorPlan, "scheme" | "bits" | "granularity">;

/**
 * What of a recipe MatMulNBits cannot store: other schemes and bits, other blocks than groups of 16, 32 … 256, and more
 * restored weights in one matrix than a sparse correction is for. One sentence for each kind.
 */
export function onnxProblems(
  recipe: Recipe,
  on?: { model: ExportModel; plans: ReadonlyMap<string, TensorPlan> },
): KeystoneErrorData[] {
  const settings = on ? [...on.plans.values()] : ofRecipe(recipe);
  const found = new Map<string, KeystoneError>();
  for (const one of settings) for (const problem of settingProblems(one)) found.set(problem.code, problem);
  const most = on
    ? Math.max(0, ...[...on.plans.values()].map(restoredCount))
    : typeof recipe.restore === "object" && "largest" in recipe.restore
      ? recipe.restore.largest
      : 0;
  if (most > MAX_RESTORED) found.set("export/restore-count", tooManyRestored(most));
  if (on?.model.architecture.description.layers.some(({ mlp }) => mlp.body.experts))
    found.set("export/onnx-model", noExperts(on.model.architecture.facts.family));
  return [...activationProblems(recipe, SUBJECT), ...[...found.values()].map((problem) => problem.toData())];
}

function noExperts(family: string): KeystoneError {
  return new KeystoneError(
    "export/onnx-model",
    `${SUBJECT} written here has one MLP in every layer; ${family} has experts.`,
    "Export as safetensors, compressed-tensors, GPTQ or AWQ instead.",
    { family },
  );
}

/** What the recipe's tensors may get, before a model says which tensors there are. */
function ofRecipe(recipe: Recipe): Settings[] {
  return recipeSettings(recipe).map(({ scheme, bits, granularity }) => ({
    scheme,
    bits,
    granularity: parseGranularity(granularity),
  }));
}

function settingProblems({ scheme, bits, granularity }: Settings): KeystoneError[] {
  const problems: KeystoneError[] = [];
  if (!SCHEMES[scheme].matMulNBits) {
    const names = schemeName.options.filter((name) => SCHEMES[name].matMulNBits).join(", ");
    problems.push(
      new KeystoneError(
        "export/scheme",
        `${SUBJECT} stores weights as (code − zero point)·scale; the scheme ${scheme} is another form.`,
        `Use ${names}, or export as safetensors.`,
        { scheme },
      ),
    );
  }
  if (!BITS.includes(bits)) {
    problems.push(
      new KeystoneError(
        "export/bits",
        `${SUBJECT} holds weights of ${BITS.join(" or ")} bits, not ${bits}.`,
        `Use ${BITS.join(" or ")} bits, or export as safetensors.`,
        { bits },
      ),
    );
  }
  if (!isPackable(granularity)) {
    problems.push(
      new KeystoneError(
        "export/block",
        `${SUBJECT} has blocks of 16, 32, 64, 128 or 256 weights along a row; the recipe's are others.`,
        `Use "group:32", "group:64" or "group:128", or export as safetensors.`,
        { granularity: granularity.kind === "group" ? `group:${granularity.size}` : granularity.kind },
      ),
    );
  }
  return problems;
}

function isPackable(granularity: Granularity): boolean {
  if (granularity.kind !== "group") return false;
  const { size } = granularity;
  return size >= SMALLEST_BLOCK && size <= LARGEST_BLOCK && Number.isInteger(Math.log2(size));
}

function tooManyRestored(count: number): KeystoneError {
  return new KeystoneError(
    "export/restore-count",
    `${SUBJECT} keeps up to ${MAX_RESTORED.toLocaleString("en-US")} exact weights in one matrix; the recipe restores ${count.toLocaleString("en-US")}.`,
    "Restore fewer weights, or export as safetensors.",
    { count, allowed: MAX_RESTORED },
  );
}
