import { untrack } from "svelte";
import type { KeystoneErrorData } from "#shared/errors.ts";
import type { TableRun } from "#shared/runTable/rows.ts";
import { setOf } from "#renderer/state/collections.ts";
import type { LiveRun } from "#renderer/state/liveRun.svelte.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";

/** What is drawn from many runs is drawn anew at most so often, in milliseconds, however fast they come or change. */
const REST_MS = 1_000;

/** The runs that an address names, as they are now: read once each, and kept up to date by their events. */
export class ChosenRuns {
  /** Those that are read, in the order named. */
  runs: readonly TableRun[] = $state.raw([]);
  #live: readonly LiveRun[] = $state.raw([]);
  /** How many are still read. */
  readonly pending: number = $derived.by(
    () => this.#live.filter(({ detail, error }) => detail === null && error === null).length,
  );
  readonly errors: readonly KeystoneErrorData[] = $derived.by(() =>
    this.#live.flatMap(({ error }) => error ?? []),
  );
  readonly #studio: Studio;
  readonly #named: () => string | null;

  /** @param named ids, separated by commas; null = every run. Call inside a component. */
  constructor(studio: Studio, named: () => string | null) {
    this.#studio = studio;
    this.#named = named;
    $effect(() => {
      const ids = this.#ids();
      // A run that is asked for the first time is remembered: no part of what these depend on.
      untrack(() => (this.#live = ids.map((id) => studio.run(id))));
    });
    // What a run is measured on is known once its original is scored: then it is read again.
    $effect(() => {
      for (const run of this.#live)
        if (run.baseline !== null && run.detail !== null && run.detail.convention === null) void run.load();
    });
    this.#follow();
  }

  /** Shows the runs when all are read and at the first, then in steps: a table of thousands of rows is not made for each. */
  #follow(): void {
    let shown = -Infinity;
    let timer: ReturnType<typeof setTimeout> | undefined;
    $effect(() => {
      const runs = this.#live.flatMap((run) => tableRun(run));
      const whole = this.pending === 0;
      clearTimeout(timer);
      const show = (): void => {
        shown = performance.now();
        this.runs = runs;
      };
      const rest = shown + REST_MS - performance.now();
      if (rest <= 0 || (whole && untrack(() => this.runs.length) !== runs.length)) show();
      else timer = setTimeout(show, rest);
    });
    $effect(() => () => clearTimeout(timer));
  }

  #ids(): string[] {
    const named = this.#named();
    return named === null
      ? this.#studio.runs.map(({ id }) => id)
      : [...setOf(named.split(",").filter(Boolean))];
  }
}

function tableRun({ detail, summary, baseline, results }: LiveRun): TableRun[] {
  return detail && summary ? [{ ...detail, summary, baseline, results }] : [];
}
