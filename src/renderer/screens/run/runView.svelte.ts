import { untrack } from "svelte";
import { recipeLabel } from "#shared/recipeText.ts";
import type { VariantResult } from "#shared/run.ts";
import { decimalsThatSeparate } from "#renderer/format.ts";
import { setOf } from "#renderer/state/collections.ts";
import type { LiveRun } from "#renderer/state/liveRun.svelte.ts";
import { Pace } from "#renderer/state/pace.ts";
import type { Picks } from "#renderer/state/picks.svelte.ts";
import { fitScale, frontBy, type Metric, type Scale } from "./damage.ts";
import { keyOf, NOT_RESTORED } from "./dimensions.ts";
import { choiceOf, firstChoice, heatLayout, type HeatChoice } from "./heatLayout.ts";

/** Charts follow the results once in so many milliseconds, not at every frame; above so many variants less often. */
const REST_MS = 400;
const MANY = 2_000;
const LONG_REST_MS = 1_000;

/** What the parts of the run screen share: which variant is under the pointer, which is selected, what is plotted. */
export class RunView {
  readonly run: LiveRun;
  readonly picks: Picks;
  metric: Metric = $state("perplexity");
  hovered: string | null = $state(null);
  selected: string | null = $state(null);
  /** Key of the restoring arm in the left heatmap, where a plan has several. */
  arm: string | null = $state(null);
  /** Results as the charts show them; they lag a little behind the table. */
  charted: readonly VariantResult[] = $state.raw([]);
  #chosen: HeatChoice | null = $state.raw(null);

  readonly #count: number = $derived.by(() => this.run.results.length);
  /** The recipes of a run never change, so neither does the layout. */
  readonly layout = $derived.by(() => {
    const count = this.#count;
    return untrack(() => heatLayout(this.run.results.slice(0, count)));
  });
  readonly choice: HeatChoice = $derived.by(() => this.#chosen ?? firstChoice(this.layout));
  readonly best: VariantResult | null = $derived.by(() =>
    this.run.best === null ? null : (this.run.byId(this.run.best) ?? null),
  );
  /** Decimals of a perplexity: as many as separate the best from the original. */
  readonly decimals: number = $derived.by(() =>
    decimalsThatSeparate(this.best?.perplexity ?? null, this.run.baseline?.perplexity ?? null),
  );
  /** Colours of both heatmaps and the lanes: one scale over the whole run. */
  readonly scale: Scale | null = $derived.by(() => fitScale(this.charted, this.metric, this.run.baseline));
  readonly front: readonly VariantResult[] = $derived.by(() => frontBy(this.charted, this.metric));
  readonly frontIds: ReadonlySet<string> = $derived.by(() => setOf(this.front.map(({ id }) => id)));
  /** The variant that every part marks: the one under the pointer, else the selected one. */
  readonly marked: string | null = $derived.by(() => this.hovered ?? this.selected);

  constructor(run: LiveRun, picks: Picks) {
    this.run = run;
    this.picks = picks;
  }

  /** Lets the charts follow the results; call inside a component. */
  follow(): void {
    const pace = new Pace<readonly VariantResult[]>((results) => (this.charted = results));
    $effect(() => {
      const { results } = this.run;
      pace.follow(results, results.length > MANY ? LONG_REST_MS : REST_MS);
    });
    $effect(() => () => pace.stop());
  }

  choose(change: HeatChoice): void {
    this.#chosen = { ...this.choice, ...change };
  }

  /** Selects a variant and brings it on screen in the heatmaps. */
  select(id: string | null): void {
    this.selected = id;
    const result = id === null ? undefined : this.run.byId(id);
    if (!result) return;
    this.#chosen = choiceOf(this.layout, result);
    const arm = keyOf(result.recipe, "arm");
    if (arm !== NOT_RESTORED) this.arm = arm;
  }

  /** Picks a variant for comparison, or lets it go. Returns false where all four places are taken. */
  togglePick(result: VariantResult): boolean {
    return this.picks.toggle({
      id: result.id,
      recipe: result.recipe,
      label: recipeLabel(result.recipe),
      run: this.run.id,
    });
  }
}
