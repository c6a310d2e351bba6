import { SvelteMap } from "svelte/reactivity";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import type { RunDetail } from "#shared/run.ts";
import type { Recipe } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";

/** A recipe that a format can store, evaluated in the place of one that it cannot. */
export interface Trial {
  readonly label: string;
  /** Null until the studio has answered. */
  readonly job: string | null;
  readonly run: string | null;
  readonly error: KeystoneErrorData | null;
}

/** What was asked for: the variant of a run, and the format. */
export interface TrialOf {
  readonly detail: RunDetail;
  readonly variant: string;
  readonly format: ExportFormat;
}

/** By run, variant and format: a trial outlives the screen that asked for it. */
const trials = new SvelteMap<string, Trial>();

export function trialOf(of: TrialOf): Trial | null {
  return trials.get(keyOf(of)) ?? null;
}

/**
 * Evaluates the recipe as the asked variant was: on the same text, with the same windows, as a run of its own.
 * @param onDone gets the run once the recipe is scored
 */
export async function startTrial(
  studio: Studio,
  of: TrialOf,
  recipe: Recipe,
  onDone: (run: string, of: TrialOf) => void,
): Promise<void> {
  const label = recipeLabel(recipe);
  const nothing = { label, job: null, run: null, error: null };
  const key = keyOf(of);
  trials.set(key, nothing);
  try {
    const { model, judge, text, calibration } = { model: of.detail.summary.model, ...of.detail };
    const { job, run } = await studio.host.call("job:sweep", {
      model,
      plan: { name: `${label}, for ${of.format}`, recipes: [recipe], judge, target: of.format },
      text,
      ...(calibration === null ? {} : { calibration }),
    });
    trials.set(key, { ...nothing, job, run });
    await studio.finished(job);
    const { results } = await studio.host.call("run:get", { run });
    const [scored] = results;
    trials.delete(key);
    if (scored?.status === "done") onDone(run, of);
    else if (scored?.error) trials.set(key, { ...nothing, error: scored.error });
  } catch (thrown) {
    const error = toErrorData(thrown);
    if (error.code === "job/cancelled") trials.delete(key);
    else trials.set(key, { ...nothing, error });
  }
}

function keyOf({ detail, variant, format }: TrialOf): string {
  return `${detail.summary.id} ${variant} ${format}`;
}
