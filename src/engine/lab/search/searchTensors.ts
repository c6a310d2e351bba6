import type { Note } from "#shared/notes.ts";
import { parseRecipe } from "#shared/plan.ts";
import type { RangeRule, Override, Recipe } from "#shared/recipe.ts";
import { createLayerReader } from "#engine/evaluate/stream/layerReader.ts";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { createScratch } from "#engine/evaluate/stream/variantWeights.ts";
import type { LayerTensor } from "#engine/architecture/decoder/architecture.ts";
import { expertOf } from "#engine/forward/forward.ts";
import { quantizeDequantize } from "#engine/quantize/quantizeDequantize.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { restoreList } from "../run/arms.ts";
import { bestOf, coarse, REFINEMENTS } from "./rangesToTry.ts";
import { recipeVariant } from "../run/recipeVariant.ts";
import { searchClips } from "./searchClips.ts";
import { marked, said, type Found, type SearchBench, type Trial } from "./searchBench.ts";
import { openLosses } from "./tensorLosses.ts";
import { count, plural } from "../run/words.ts";

const KIND = "tensors";

/**
 * Each tensor its own clip: the one of least error of its weights (exact, without data) or of its output on the calibration text.
 * One layer is in memory at a time. The inputs of a layer are the original's, so tensors are chosen independently of one another.
 * A budget is shared evenly: what a tensor does not use is its successors'.
 */
export async function searchTensors(bench: SearchBench): Promise<Found> {
  const { run, budget, onTrials, journey, calibration } = bench;
  const { layers } = run.architecture.facts;
  const { variant } = recipeVariant(run, "tensors", recipeOf(bench, new Map()));
  const { plans } = variant;
  const first = coarse(run.request.methods, run.request.thresholds);
  const losses = await openLosses(bench);
  const most = first.length + 2 * REFINEMENTS;
  const total = losses.unitsPerLayer * layers + most * losses.unitsPerTrial * plans.size;
  journey.announce(KIND, total);
  calibration?.judging.announce([variant]);
  const meter = createMeter(total, "tokens·layers", journey.pass(KIND, "the search"));

  const reader = createLayerReader(run);
  const scratch = createScratch();
  const trials: Trial[] = [];
  const chosen = new Map<string, RangeRule | null>();
  let cut = 0;
  for (let layer = 0; layer < layers && budget.spent === null; layer++) {
    const weights = await reader.read(layer);
    await losses.enter(layer, weights);
    await meter.advance(losses.unitsPerLayer, `layer ${layer + 1} of ${layers}`);
    for (const { plan, slot, expert } of plansOf(bench, plans, layer)) {
      if (budget.spent !== null) break;
      const own = expert ? await expertOf(weights, expert.number) : weights;
      const original = own[expert?.slot ?? slot];
      const out = scratch.take(expert?.slot ?? slot, original.length);
      const searched = await searchClips(first, budget.share(plans.size - chosen.size), async (range) => {
        const statistics = quantizeDequantize(original, { ...plan, range }, out);
        const loss = await losses.of(slot, original, out, statistics);
        trials.push({ range, tensor: plan.name, loss, best: false });
        await meter.advance(losses.unitsPerTrial, `${plan.name}, ${said(range)}`);
        return loss;
      });
      await meter.advance((most - searched.tried.length) * losses.unitsPerTrial, plan.name);
      chosen.set(plan.name, bestOf(searched.tried)?.range ?? null);
      onTrials(marked(trials));
      if (searched.stopped !== null) cut++;
    }
  }

  const recipe = recipeOf(bench, chosen);
  if (calibration) await calibration.judging.original("original, calibration text");
  const judged = calibration
    ? await calibration.judging.variant(recipeVariant(run, "found", recipe).variant, "calibration text")
    : null;
  return {
    recipe,
    trials: marked(trials),
    stopped: stoppedWords(bench, cut, plans.size - chosen.size),
    calibration: judged,
    chosen: chosenWords(bench, chosen),
    notes: notesOf(bench, { searched: chosen.size, cut, tensors: plans.size }),
  };
}

function plansOf(
  { run }: SearchBench,
  plans: ReadonlyMap<string, TensorPlan>,
  layer: number,
): (Pick<LayerTensor, "slot" | "expert"> & { plan: TensorPlan })[] {
  return run.architecture.layerTensors(layer).flatMap(({ name, slot, expert }) => {
    const plan = plans.get(name);
    return plan ? [{ plan, slot, ...(expert ? { expert } : {}) }] : [];
  });
}

/** The clip of every tensor that has one as an override, first match first; nothing else is clipped. */
function recipeOf({ run, grid }: SearchBench, chosen: ReadonlyMap<string, RangeRule | null>): Recipe {
  const overrides = [...chosen].flatMap(([match, range]): Override[] => (range ? [{ match, range }] : []));
  return parseRecipe({ scheme: "affine", ...grid, restore: restoreList(run), overrides });
}

function chosenWords({ run }: SearchBench, chosen: ReadonlyMap<string, RangeRule | null>): string {
  const methods = [...Map.groupBy(chosen.values(), (range) => range?.method ?? "no clipping")];
  const each = methods
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([method, { length }]) => `${count(length)} × ${method}`);
  const by = run.request.by === "weight-error" ? "weights' error" : "output's error on the calibration text";
  return `each tensor has the clip of its least ${by} (${each.join(", ")})`;
}

/** Why not every candidate of every tensor was tried, as a clause; null where each was. */
function stoppedWords({ budget }: SearchBench, cut: number, left: number): string | null {
  if (cut === 0 && left === 0) return null;
  return budget.spent ?? "before every candidate was tried: each tensor had an even share of what was given";
}

/** Tensors that were searched, those of them that a budget cut short, and all there are. */
interface Reached {
  readonly searched: number;
  readonly cut: number;
  readonly tensors: number;
}

function notesOf({ run }: SearchBench, { searched, cut, tensors }: Reached): Note[] {
  const notes: Note[] =
    run.request.by === "weight-error"
      ? [
          {
            code: "search/loss",
            text: "A tensor's loss is ‖W − Ŵ‖ / ‖W‖ over all its weights: no data is used to choose.",
          },
        ]
      : [
          {
            code: "search/loss",
            text: "A tensor's loss is ‖XWᵀ − XŴᵀ‖ / ‖XWᵀ‖ for inputs X of the original on the calibration text.",
          },
        ];
  if (cut > 0)
    notes.push({
      code: "search/bounded",
      text: `${count(cut)} of ${plural(tensors, "tensor")} could not try every candidate: the search was bounded, and each had an even share.`,
    });
  if (searched < tensors)
    notes.push({
      code: "search/not-searched",
      text: `${count(tensors - searched)} of ${plural(tensors, "tensor")} ${tensors - searched === 1 ? "was" : "were"} not searched: ${tensors - searched === 1 ? "it keeps its" : "they keep their"} outliers.`,
    });
  return notes;
}
